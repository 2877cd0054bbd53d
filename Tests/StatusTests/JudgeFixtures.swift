@testable import Status

extension NextStepEvidence {
  /// A state in which everything is as it should be for the next step, but for what `change` does.
  static func good(
    _ stage: InstanceReport.State.Stage,
    _ change: (inout NextStepEvidence) -> Void = { _ in }
  ) -> NextStepEvidence {
    let isDual = stage == .dualOld || stage == .dualNew
    let replies: InstanceReport.Target = stage == .oldOnly || stage == .dualOld ? .secondary : .primary
    var counts = InstanceCounts()
    counts.commands = 50_000
    counts.primaryReads = isDual ? 20_000 : 0
    counts.comparedPipelines = isDual ? 1000 : 0
    var window = SampleHistory.Window()
    window.whole.seconds = 900
    window.whole.counts = counts
    window.isFull = true
    var evidence = NextStepEvidence(
      dualWriteFlag: "use_primary_and_secondary_stores_for_sessions",
      primaryAsDefaultFlag: "use_primary_store_as_default_for_sessions",
      state: InstanceReport.State(
        stage: stage,
        reads: isDual ? .primaryThenSecondary : replies,
        writes: isDual ? .both : replies,
        replies: replies,
        sinceMilliseconds: 0
      ),
      stateSeconds: 90_000,
      dualSeconds: isDual ? 100_000 : 0,
      old: .good(isNew: false, keys: 1000),
      new: .good(isNew: true, keys: stage == .oldOnly ? 0 : 1000),
      window: window
    )
    evidence.verifiedSeconds = isDual ? 60 : nil
    change(&evidence)
    return evidence
  }

  /// Changes what was counted in the whole window.
  mutating func counted(_ change: (inout InstanceCounts) -> Void) {
    change(&window.whole.counts)
  }

  /// What the judge says of one criterion; nil if it is not looked at. What a verification shows as well is judged
  /// without one.
  func criterion(_ name: Criterion.Name) -> Criterion? {
    var evidence = self
    if [.warmUp, .keysWithoutTTL, .keyCounts].contains(name) { evidence.verifiedSeconds = nil }
    return NextStepJudge(evidence: evidence).nextStep?.criteria.first { $0.name == name }
  }

  func result(_ name: Criterion.Name) -> Criterion.Result? { criterion(name)?.result }
}

extension StoreReport {
  /// A store without any trouble, whose keys all expire within an hour.
  static func good(isNew: Bool, keys: Double) -> StoreReport {
    StoreReport(
      isNew: isNew,
      isDefault: !isNew,
      address: "127.0.0.1:6379",
      version: isNew ? "9.1.2" : "7.0.15",
      problem: nil,
      meanLatencySeconds: 0.0002,
      commandsPerSecond: 100,
      inFlight: 0,
      troubles: Troubles(failedCommands: 0, errorReplies: 0, lostConnections: 0, failedCopies: 0),
      staleKeys: 0,
      oldestStaleSeconds: nil,
      distrust: nil,
      keyspace: Keyspace(keys: keys, expiringKeys: keys, averageTTLSeconds: 1200, longestTTLSeconds: 3600)
    )
  }
}
