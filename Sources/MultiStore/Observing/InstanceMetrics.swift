internal import CoreMetrics
internal import RESP

/// The metrics of one instance that belong to no single store. Created once, with the value 0 for all labels that are
/// known beforehand; recording is lock-free and allowed on any thread.
final class InstanceMetrics {
  let primaryReads: Counter
  let fallbackAfterMiss: Counter
  let fallbackAfterError: Counter
  let trueMisses: Counter
  let overtakenReads: Counter
  let keyCopies: Counter
  let uncomparedReplies: Counter
  let scriptsNotRemembered: Counter
  let sameStore: Gauge
  let loopBusy: FloatingPointCounter
  let subscribedClients: Gauge
  let blockedMoves: Counter
  let forcedMoves: Counter
  let settledChecks: SettledCheckMetrics
  let jobs: KeyJobMetrics
  private let subscriptionMoves: [SubscriptionMove: Counter]
  private let watchLosses: [WatchLoss: Counter]
  private let instance: String
  private let factory: any MetricsFactory
  private let pipelinedDiff: (pipelined: Counter, multi: Counter)
  private let pipelines: (pipelined: Counter, multi: Counter)
  /// By command; nil where the command can't reach the counter.
  private let readFallback: [Counter?]
  private let methodMissing: [Counter?]
  private let uncopiedWrites: [Counter?]
  private let differingReplies: [DiffKind: [Counter?]]
  private let persistentDiffs: [DiffKind: [Counter?]]
  private let differingPipelines: [DiffKind: (pipelined: Counter, multi: Counter)]
  /// Empty unless differences are re-checked.
  private let rechecks: [RecheckOutcome: Counter]

  init(_ configuration: MultiStoreConfiguration, factory: any MetricsFactory) {
    let instance = configuration.name
    let hasPrimary = configuration.primary != nil
    let rechecksDiffs = configuration.rechecksDiffs
    let movesKeys = hasPrimary && configuration.readPolicy == .fallback
    self.instance = instance
    self.factory = factory
    let label = ("instance_name", instance)
    func counter(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Counter {
      Counter(label: metric.name, dimensions: [label] + more, factory: factory)
    }
    func ofCommand(_ name: String, _ metric: MultiStoreMetric, _ more: [(String, String)]) -> Counter {
      Counter(label: metric.name, dimensions: [("command", name), label] + more, factory: factory)
    }
    func byCommand(
      _ metric: MultiStoreMetric,
      _ more: (String, String)...,
      where applies: (CommandSpec) -> Bool
    ) -> [Counter?] {
      CommandTable.all.map { applies($0) ? ofCommand($0.label, metric, more) : nil }
    }
    func byBatch(_ metric: MultiStoreMetric, _ more: (String, String)...) -> (pipelined: Counter, multi: Counter) {
      (ofCommand("pipelined", metric, more), ofCommand("multi", metric, more))
    }
    func byKind<Counters>(_ counters: ((String, String)) -> Counters) -> [DiffKind: Counters] {
      Dictionary(uniqueKeysWithValues: DiffKind.allCases.map { ($0, counters(("kind", $0.rawValue))) })
    }
    func byCase<Case: CaseIterable & Hashable & RawRepresentable<String>>(
      _ metric: MultiStoreMetric,
      _ label: String
    ) -> [Case: Counter] {
      Dictionary(uniqueKeysWithValues: Case.allCases.map { ($0, counter(metric, (label, $0.rawValue))) })
    }
    primaryReads = counter(MultiStoreMetrics.primaryReads)
    fallbackAfterMiss = counter(MultiStoreMetrics.fallbackReads, ("reason", "miss"))
    fallbackAfterError = counter(MultiStoreMetrics.fallbackReads, ("reason", "error"))
    trueMisses = counter(MultiStoreMetrics.trueMisses)
    overtakenReads = counter(MultiStoreMetrics.overtakenReads)
    keyCopies = counter(MultiStoreMetrics.keyCopies)
    uncomparedReplies = counter(MultiStoreMetrics.uncomparedReplies)
    scriptsNotRemembered = counter(MultiStoreMetrics.scriptsNotRemembered)
    sameStore = Gauge(label: MultiStoreMetrics.sameStore.name, dimensions: [label], factory: factory)
    loopBusy = FloatingPointCounter(label: MultiStoreMetrics.loopBusy.name, dimensions: [label], factory: factory)
    subscribedClients = Gauge(label: MultiStoreMetrics.subscribedClients.name, dimensions: [label], factory: factory)
    blockedMoves = counter(MultiStoreMetrics.blockedMoves)
    forcedMoves = counter(MultiStoreMetrics.forcedMoves)
    settledChecks = SettledCheckMetrics(instance: instance, factory: factory)
    jobs = KeyJobMetrics(instance: instance, factory: factory)
    subscriptionMoves = byCase(MultiStoreMetrics.subscriptionMoves, "outcome")
    watchLosses = byCase(MultiStoreMetrics.watchLosses, "reason")
    pipelinedDiff = byBatch(MultiStoreMetrics.pipelinedDiff)
    pipelines = byBatch(MultiStoreMetrics.pipelines)
    differingPipelines = byKind { byBatch(MultiStoreMetrics.differingPipelines, $0) }
    readFallback = byCommand(MultiStoreMetrics.readFallback) {
      $0.commandClass == .read && $0.miss != .never || movesKeys && $0.mayDependOnKeys
    }
    methodMissing = byCommand(MultiStoreMetrics.methodMissing) { hasPrimary && $0.countsAsMethodMissing }
    uncopiedWrites = byCommand(MultiStoreMetrics.uncopiedWrites) {
      $0.staysUncopied || configuration.scripts == .runOnBoth && $0.commandClass == .script
    }
    differingReplies = byKind { kind in
      byCommand(MultiStoreMetrics.differingReplies, kind) { hasPrimary && $0.mayDiffer(in: configuration.comparison) }
    }
    persistentDiffs = byKind { kind in
      byCommand(MultiStoreMetrics.persistentDiff, kind) { rechecksDiffs && $0.isRead }
    }
    rechecks = rechecksDiffs ? byCase(MultiStoreMetrics.rechecks, "outcome") : [:]
  }

  /// Counts a key that the secondary had and the primary lacked, and that was read there, or moved.
  func fellBack(_ id: CommandID) {
    readFallback[Int(id.rawValue)]?.increment()
  }

  func methodMissing(_ id: CommandID) {
    methodMissing[Int(id.rawValue)]?.increment()
  }

  func uncopiedWrite(_ id: CommandID) {
    uncopiedWrites[Int(id.rawValue)]?.increment()
  }

  func subscriptionMove(_ outcome: SubscriptionMove) {
    subscriptionMoves[outcome]?.increment()
  }

  func watchLost(_ reason: WatchLoss) {
    watchLosses[reason]?.increment()
  }

  func differsPersistently(_ id: CommandID, _ kind: DiffKind) {
    persistentDiffs[kind]?[Int(id.rawValue)]?.increment()
  }

  func rechecked(_ outcome: RecheckOutcome) {
    rechecks[outcome]?.increment()
  }

  func compared(_ kind: BatchKind) {
    (kind == .multi ? pipelines.multi : pipelines.pipelined).increment()
  }

  /// Counts a pipeline or transaction whose replies differed.
  func differed(_ kind: BatchKind, _ diff: PipelineDiff) {
    (kind == .multi ? pipelinedDiff.multi : pipelinedDiff.pipelined).increment()
    let counters = differingPipelines[diff.kind]
    (kind == .multi ? counters?.multi : counters?.pipelined)?.increment()
    for element in diff.elements { differingReplies[element.kind]?[Int(element.command.rawValue)]?.increment() }
  }
}
