@testable import Status

extension StatusReport {
  /// One instance in the second state with everything that can be told, and one that has one store.
  static let example: StatusReport = {
    let taken: Int64 = 1_700_000_000_250
    return StatusReport(
      version: "1.2.3",
      startedMilliseconds: taken - 7_500_000,
      takenMilliseconds: taken,
      windowSeconds: 900,
      instances: [.migrating(since: taken - 3_600_000), .passThrough(since: taken - 7_500_000)]
    )
  }()

  /// The same with what comes from outside replaced by `text`.
  static func hostile(_ text: String) -> StatusReport {
    var report = example
    report.version = text
    report.instances[0].name = text
    report.instances[0].flags[0].name = text
    report.instances[0].hazards[0].commands = [text]
    report.instances[0].hazards[0].sentence = text
    for index in 0..<2 {
      report.instances[0].stores[index].address = text
      report.instances[0].stores[index].version = text
      report.instances[0].stores[index].problem = text
    }
    report.instances[0].nextStep?.command = text
    report.instances[0].nextStep?.criteria[0].measured = text
    report.instances[0].nextStep?.criteria[1].advice = text
    return report
  }
}

extension InstanceReport {
  static func migrating(since: Int64) -> InstanceReport {
    var totals = HistoryReport.Totals()
    totals.primaryReads = 12_000
    totals.fallbackReads = 6
    totals.trueMisses = 40
    totals.comparedPipelines = 500
    totals.differingPipelines = 1
    return InstanceReport(
      name: "sessions",
      state: State(
        stage: .dualOld,
        reads: .primaryThenSecondary,
        writes: .both,
        replies: .secondary,
        sinceMilliseconds: since
      ),
      flags: [
        Flag(name: "use_primary_and_secondary_stores_for_sessions", isOn: true),
        Flag(name: "use_primary_store_as_default_for_sessions", isOn: false),
      ],
      clients: 12,
      stores: [.old, .new],
      history: HistoryReport(
        intervalSeconds: 15,
        capacity: 60,
        points: [
          .init(fallbackRatio: 0.5, diffRatio: nil, commandsPerSecond: 10),
          .init(fallbackRatio: 0.0005, diffRatio: 0.002, commandsPerSecond: 1234),
        ],
        totals: totals
      ),
      hazards: [Hazard(name: "script", sentence: "Name all the keys.", commands: ["eval", "evalsha"], count: 12)],
      nextStep: NextStep(
        kind: .defaultOn,
        criteria: [
          Criterion(.storesUp, .met, measured: "both are up", threshold: "up", advice: "Look at the store."),
          Criterion(.warmUp, .notMet, measured: "1 h", threshold: "3 h", advice: "Wait for 2 h."),
          Criterion(.keyCounts, .unknown, measured: "not known", threshold: "99 %", advice: "Ask for the keys."),
        ],
        command: "multistore-exporter feature set use_primary_store_as_default_for_sessions true"
      )
    )
  }

  static func passThrough(since: Int64) -> InstanceReport {
    InstanceReport(
      name: "cache",
      state: State(
        stage: .oldOnly,
        isPassThrough: true,
        reads: .secondary,
        writes: .secondary,
        replies: .secondary,
        sinceMilliseconds: since
      ),
      flags: [],
      clients: 1,
      stores: [.old],
      history: HistoryReport(intervalSeconds: 15, capacity: 60, points: [], totals: .init()),
      hazards: [],
      nextStep: nil
    )
  }
}

extension StoreReport {
  static let old = StoreReport(
    isNew: false,
    isDefault: true,
    address: "127.0.0.1:6379",
    version: "7.0.15",
    problem: nil,
    meanLatencySeconds: 0.000_085,
    commandsPerSecond: 1234.4,
    inFlight: 3,
    troubles: Troubles(failedCommands: 0, errorReplies: 2, lostConnections: 0, failedCopies: 0),
    staleKeys: 0,
    oldestStaleSeconds: nil,
    distrust: nil,
    keyspace: Keyspace(keys: 1_234_567, expiringKeys: 1_234_500, averageTTLSeconds: 1200, longestTTLSeconds: 10_800)
  )

  static let new = StoreReport(
    isNew: true,
    isDefault: false,
    address: "unix:/run/new.sock",
    version: nil,
    problem: "connection refused",
    meanLatencySeconds: nil,
    commandsPerSecond: nil,
    inFlight: 0,
    troubles: Troubles(failedCommands: 7, errorReplies: 0, lostConnections: 2, failedCopies: 5),
    staleKeys: 5,
    oldestStaleSeconds: 320,
    distrust: Distrust(
      reason: "unclean_stop",
      explanation: "the sidecar was not stopped cleanly",
      sinceMilliseconds: 1_795_895_465_000
    ),
    keyspace: nil
  )
}
