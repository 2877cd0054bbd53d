internal import MultiStore
internal import PrometheusExposition
internal import Proxy
internal import Status
internal import TLS

extension InstanceReport {
  /// Creates the report of an instance from the figures of a moment and the samples before it.
  init(_ source: StatusBoard.Source, _ moment: Moment, _ history: SampleHistory, _ dualWrites: DualWritePeriod) {
    var history = history
    if history.samples.last?.at != moment.at { history.append(moment.sample(of: source)) }
    var dualWrites = dualWrites
    let effective = source.status.effective
    dualWrites.note(
      effective.routing,
      sinceMilliseconds: effective.sinceMilliseconds,
      lastRestartMilliseconds: source.status.lastRestartMilliseconds
    )
    let name = source.status.instanceName
    let roles: [StoreRole] = effective.isPassThrough ? [.secondary] : [.secondary, .primary]
    self.init(
      name: name,
      state: State(effective),
      flags: effective.isPassThrough
        ? [] : FeatureFlag.allCases.map { Flag(name: $0.name(instance: name), isOn: source.flags.state[$0]) },
      clients: moment.metrics.value(ProxyMetrics.clients.name, [("instance_name", name)]) ?? 0,
      stores: roles.map { StoreReport($0, of: source, moment, history) },
      history: HistoryReport(history, until: moment.at),
      hazards: Hazard.all(in: source.inventory),
      nextStep: nil
    )
    guard stores.count == 2 else { return }
    let progress = source.status.jobs
    jobs = progress.map { JobsReport.Job($0, of: name, showsKeys: false) }
    verifiedMilliseconds = source.status.verifiedMilliseconds
    isBackfilled = progress.contains(where: \.hasFilledNewStore)
    let age = Self.seconds(moment.wallMilliseconds - state.sinceMilliseconds)
    var evidence = NextStepEvidence(
      dualWriteFlag: FeatureFlag.dualWrite.name(instance: name),
      primaryAsDefaultFlag: FeatureFlag.primaryAsDefault.name(instance: name),
      state: state,
      stateSeconds: age,
      dualSeconds: dualWrites.beginMilliseconds.map { Self.seconds(moment.wallMilliseconds - $0) } ?? 0,
      old: stores[0],
      new: stores[1],
      window: history.stateWindow
    )
    evidence.instance = name
    evidence.isBackfilled = isBackfilled
    evidence.verifiedSeconds = verifiedMilliseconds.map { Self.seconds(moment.wallMilliseconds - $0) }
    nextStep = NextStepJudge(evidence: evidence).nextStep
  }

  /// Returns a time in seconds; 0 where a clock was set back.
  fileprivate static func seconds(_ milliseconds: Int64) -> Double { max(0, Double(milliseconds) / 1000) }
}

extension KeyJobProgress {
  /// Whether it is a backfill after which the new store has every key of the old one. While the new store is the
  /// default, keys are copied to the old one, which shows nothing about the new one.
  var hasFilledNewStore: Bool { isBackfilled && defaultStore == .secondary }
}

extension InstanceReport.State {
  init(_ effective: EffectiveState) {
    self.init(
      stage: Self.known(Stage(rawValue: effective.state)),
      isPassThrough: effective.isPassThrough,
      storesAreSame: effective.storesAreSame,
      reads: Self.known(InstanceReport.Target(rawValue: effective.reads)),
      writes: Self.known(InstanceReport.Target(rawValue: effective.writes)),
      replies: Self.known(InstanceReport.Target(rawValue: effective.replies)),
      sinceMilliseconds: effective.sinceMilliseconds
    )
  }

  private static func known<Word>(_ word: Word?) -> Word {
    guard let word else { preconditionFailure("a report has the words that an effective state has") }
    return word
  }
}

extension InstanceReport.Hazard {
  /// Returns the hazards of an inventory, worst first.
  static func all(in inventory: CommandInventory) -> [InstanceReport.Hazard] {
    var hazards: [InstanceReport.Hazard] = []
    for entry in inventory.entries {
      guard let hazard = entry.hazard else { continue }
      if hazards.last?.name != hazard.rawValue {
        hazards.append(Self(name: hazard.rawValue, sentence: hazard.sentence, commands: [], count: 0))
      }
      let last = hazards.count - 1
      if !hazards[last].commands.contains(entry.command) { hazards[last].commands.append(entry.command) }
      hazards[last].count += Double(entry.count)
    }
    return hazards
  }
}

extension StoreReport {
  /// The length of "the last minute".
  private static let lately = Duration.seconds(60)

  fileprivate init(
    _ role: StoreRole,
    of source: StatusBoard.Source,
    _ moment: Moment,
    _ history: SampleHistory
  ) {
    let labels = [("instance_name", source.status.instanceName), ("store", role.label)]
    func gauge(_ metric: MultiStoreMetric) -> Double { moment.metrics.value(metric.name, labels) ?? 0 }
    let part: (InstanceCounts) -> InstanceCounts.Store = { role == .primary ? $0.new : $0.old }
    let whole = part(history.window.whole.counts)
    let minute = history.span(ofLast: Self.lately)
    let recent = part(minute.counts)
    let isDefault = source.status.defaultStore == role
    self.init(
      isNew: role == .primary,
      isDefault: isDefault,
      address: source.status.address(of: role) ?? "",
      encryption: source.stores[role]?.tls.map { $0.statistics.last?.version ?? "TLS" },
      sentinelMaster: source.stores[role]?.sentinels?.master,
      version: source.status.serverVersion(of: role),
      problem: source.status.problem(with: role),
      meanLatencySeconds: recent.replies > 0 ? recent.replySeconds / recent.replies : nil,
      commandsPerSecond: minute.seconds > 0 ? recent.commands / minute.seconds : nil,
      inFlight: gauge(MultiStoreMetrics.inFlight),
      troubles: Troubles(
        failedCommands: whole.failedCommands,
        errorReplies: whole.errorReplies,
        lostConnections: whole.lostConnections,
        failedCopies: whole.failedCopies
      ),
      staleKeys: Double(source.status.staleKeys(of: role)),
      oldestStaleSeconds: source.status.oldestStaleMilliseconds(of: role).map {
        InstanceReport.seconds(moment.wallMilliseconds - $0)
      },
      distrust: isDefault ? nil : Distrust(source.status.trust(of: role)),
      keyspace: source.status.keyspace(of: role).map(Keyspace.init)
    )
  }
}

extension StoreReport.Distrust {
  fileprivate init?(_ trust: StoreTrust) {
    guard case .lost(let loss, let since) = trust else { return nil }
    self.init(reason: loss.rawValue, explanation: loss.explanation, sinceMilliseconds: since)
  }
}

extension StoreReport.Keyspace {
  init(_ keyspace: StoreKeyspace) {
    self.init(
      keys: Double(keyspace.keys),
      keysElsewhere: Double(keyspace.keysElsewhere),
      expiringKeys: Double(keyspace.expiringKeys),
      averageTTLSeconds: keyspace.averageTTLMilliseconds.map { Double($0) / 1000 },
      longestTTLSeconds: keyspace.longestTTLMilliseconds.map { Double($0) / 1000 }
    )
  }
}

extension HistoryReport {
  init(_ history: SampleHistory, until end: ContinuousClock.Instant) {
    let counts = history.window.whole.counts
    var totals = Totals()
    totals.primaryReads = counts.primaryReads
    totals.fallbackReads = counts.fallbackReads
    totals.trueMisses = counts.trueMisses
    totals.comparedPipelines = counts.comparedPipelines
    totals.differingPipelines = counts.differingPipelines
    totals.persistentDiffs = counts.persistentDiffs
    totals.methodsMissing = counts.methodsMissing
    self.init(
      intervalSeconds: SampleHistory.interval / .seconds(1) * Double(SampleHistory.samplesInPoint),
      capacity: SampleHistory.pointLimit,
      points: history.points.map(Point.init),
      totals: totals
    )
  }
}

extension HistoryReport.Point {
  fileprivate init(_ span: SampleHistory.Span) {
    let counts = span.counts
    func ratio(_ part: Double, of whole: Double) -> Double? { whole > 0 ? part / whole : nil }
    self.init(
      fallbackRatio: ratio(counts.fallbackReads, of: counts.primaryReads),
      diffRatio: ratio(counts.differingPipelines, of: counts.comparedPipelines),
      commandsPerSecond: span.seconds > 0 ? counts.commands / span.seconds : 0
    )
  }
}
