import Testing

@testable import Status

@Suite("Judge of the next step")
struct NextStepJudgeTests {
  @Test(
    arguments: [
      (
        InstanceReport.State.Stage.oldOnly, NextStep.Kind.dualWriteOn,
        "multistore-exporter feature set use_primary_and_secondary_stores_for_sessions true",
        [.differentServers, .storesUp, .methodMissing, .newStoreEmpty, .trusted]
      ),
      (
        .dualOld, .defaultOn, "multistore-exporter feature set use_primary_store_as_default_for_sessions true",
        [
          .differentServers, .storesUp, .methodMissing, .trusted, .copyFailures, .staleKeys, .diffs, .fallbackRatio,
          .backfilled, .verified,
        ]
      ),
      (
        .dualNew, .dualWriteOff, "multistore-exporter feature set use_primary_and_secondary_stores_for_sessions false",
        [
          .storesUp, .methodMissing, .trusted, .copyFailures, .staleKeys, .diffs, .fallbackRatio,
          .backfilled, .verified, .soak,
        ]
      ),
      (
        .newOnly, .removeOldStore, "multistore-exporter check-config --config.file=FILE",
        [.storesUp, .oldStoreIdle, .soak]
      ),
    ] as [(InstanceReport.State.Stage, NextStep.Kind, String, [Criterion.Name])]
  )
  func `each state has its step with its criteria, and is safe when all is well`(
    _ stage: InstanceReport.State.Stage,
    _ kind: NextStep.Kind,
    _ command: String,
    _ criteria: [Criterion.Name]
  ) throws {
    let step = try #require(NextStepJudge(evidence: .good(stage)).nextStep)
    #expect(step.kind == kind && step.command == command)
    #expect(step.criteria.map(\.name) == criteria)
    #expect(step.criteria.filter { $0.result != .met } == [])
    #expect(step.answer == .yes)
  }

  @Test(arguments: [InstanceReport.State.Stage.dualOld, .dualNew])
  func `a backfill or a verification shows that the keys are there, and only a verification that they are equal`(
    stage: InstanceReport.State.Stage
  ) {
    let warmth: [Criterion.Name] = [.warmUp, .keysWithoutTTL, .keyCounts]
    let neither = NextStepEvidence.good(stage) { $0.verifiedSeconds = nil }
    #expect(neither.result(.verified) == .notMet && neither.result(.backfilled) == nil)
    #expect(neither.criterion(.verified)?.advice.contains("verify start --instance") == true)
    let names = NextStepJudge(evidence: neither).nextStep?.criteria.map(\.name) ?? []
    #expect(warmth.allSatisfy(names.contains))
    let backfilled = NextStepEvidence.good(stage) { ($0.verifiedSeconds, $0.isBackfilled) = (nil, true) }
    #expect(backfilled.result(.verified) == .notMet && backfilled.result(.backfilled) == .met)
    let verified = NextStepEvidence.good(stage) { $0.verifiedSeconds = 7_200 }
    #expect(verified.criterion(.verified)?.measured.contains("2 h ago") == true)
    #expect(verified.result(.backfilled) == .met)
  }

  @Test func `one store alone has no next step`() {
    var evidence = NextStepEvidence.good(.oldOnly)
    evidence.state.isPassThrough = true
    #expect(NextStepJudge(evidence: evidence).nextStep == nil)
  }

  @Test func `one criterion that is not met is a no, whatever else is unknown`() {
    func answer(_ results: [Criterion.Result]) -> NextStep.Answer {
      let criteria = results.map { Criterion(.soak, $0, measured: "", threshold: "", advice: "") }
      return NextStep(kind: .defaultOn, criteria: criteria, command: "").answer
    }
    #expect(answer([.met, .met]) == .yes)
    #expect(answer([.met, .unknown]) == .unknown)
    #expect(answer([.unknown, .notMet, .met]) == .notYet)
  }

  /// A window that is not full is no reason to say that nothing happened, but enough to say that something did.
  @Test(arguments: InstanceReport.State.Stage.allCases)
  func `what was not watched long enough is unknown, not met`(_ stage: InstanceReport.State.Stage) throws {
    var evidence = NextStepEvidence.good(stage)
    evidence.window.isFull = false
    evidence.window.whole.seconds = 180
    evidence.stateSeconds = max(evidence.stateSeconds, 180)
    let watched: Set<Criterion.Name> = [
      .storesUp, .methodMissing, .copyFailures, .diffs, .fallbackRatio, .oldStoreIdle,
    ]
    let step = try #require(NextStepJudge(evidence: evidence).nextStep)
    #expect(step.answer == .unknown)
    for criterion in step.criteria {
      #expect(criterion.result == (watched.contains(criterion.name) ? .unknown : .met), "\(criterion)")
    }
    let up = try #require(step.criteria.first { $0.name == .storesUp })
    #expect(up.measured.contains("in the last 3 min"))
    #expect(up.advice == "Watched in this state for 3 min of 15 min so far: wait.")
    evidence.window.whole.counts.new.lostConnections = 1
    #expect(evidence.result(.storesUp) == .notMet)
  }

  @Test func `a store that is down, was lost or failed commands is not up`() {
    #expect(NextStepEvidence.good(.dualOld) { $0.old.problem = "connection refused" }.result(.storesUp) == .notMet)
    let down = NextStepEvidence.good(.dualOld) { $0.new.problem = "connection refused" }
    #expect(down.criterion(.storesUp)?.measured == "the new store is down: connection refused")
    #expect(NextStepEvidence.good(.oldOnly) { $0.counted { $0.new.lostConnections = 1 } }.result(.storesUp) == .notMet)
    #expect(NextStepEvidence.good(.dualNew) { $0.counted { $0.old.failedCommands = 1 } }.result(.storesUp) == .notMet)
    // The old store is on its way out.
    let leaving = NextStepEvidence.good(.newOnly) { evidence in
      evidence.old.problem = "gone"
      evidence.counted { $0.old.lostConnections = 3 }
    }
    #expect(leaving.result(.storesUp) == .met)
  }

  @Test func `unlisted commands and failed copies are counted to the last one`() {
    #expect(NextStepEvidence.good(.oldOnly) { $0.counted { $0.methodsMissing = 1 } }.result(.methodMissing) == .notMet)
    for stage in [InstanceReport.State.Stage.dualOld, .dualNew] {
      #expect(NextStepEvidence.good(stage) { $0.counted { $0.new.failedCopies = 1 } }.result(.copyFailures) == .notMet)
      #expect(NextStepEvidence.good(stage) { $0.counted { $0.old.failedCopies = 1 } }.result(.copyFailures) == .notMet)
    }
    #expect(NextStepEvidence.good(.newOnly) { $0.counted { $0.old.commands = 1 } }.result(.oldStoreIdle) == .notMet)
  }

  @Test func `a stale key counts wherever it is, with the age of the oldest`() {
    #expect(NextStepEvidence.good(.dualOld) { $0.old.staleKeys = 1 }.result(.staleKeys) == .notMet)
    #expect(NextStepEvidence.good(.dualOld) { $0.new.staleKeys = 1 }.result(.staleKeys) == .notMet)
    let both = NextStepEvidence.good(.dualOld) { evidence in
      evidence.old.staleKeys = 1
      evidence.old.oldestStaleSeconds = 90
      evidence.new.staleKeys = 2240
      evidence.new.oldestStaleSeconds = 320
    }
    #expect(both.criterion(.staleKeys)?.measured == "2,241 keys, the oldest for 5 min")
    #expect(NextStepEvidence.good(.dualOld).criterion(.staleKeys)?.measured == "0 keys")
  }

  @Test func `the store that is not the default has to be trusted`() throws {
    let loss = StoreReport.Distrust(reason: "overflow", explanation: "of this", sinceMilliseconds: 1_795_895_465_000)
    for stage in [InstanceReport.State.Stage.oldOnly, .dualOld] {
      let evidence = NextStepEvidence.good(stage) { $0.new.distrust = loss }
      let criterion = try #require(evidence.criterion(.trusted))
      #expect(criterion.result == .notMet)
      #expect(criterion.measured == "the new store is not trusted since 2026-11-28 19:51:05 UTC, because of this")
      #expect(criterion.advice.contains("empty that store") && criterion.advice.contains("trust --store primary"))
      #expect(NextStepEvidence.good(stage).result(.trusted) == .met)
    }
    // The old one may have the right values after a forced move.
    let left = NextStepEvidence.good(.dualNew) { $0.old.distrust = loss }
    let criterion = try #require(left.criterion(.trusted))
    #expect(criterion.result == .notMet && !criterion.advice.contains("empty that"))
    #expect(criterion.advice.contains("trust --store secondary"))
    #expect(NextStepEvidence.good(.newOnly).criterion(.trusted) == nil)
  }

  @Test func `one server under two names is told, and what is not known is not met`() {
    #expect(NextStepEvidence.good(.oldOnly) { $0.state.storesAreSame = true }.result(.differentServers) == .notMet)
    #expect(NextStepEvidence.good(.oldOnly) { $0.new.version = nil }.result(.differentServers) == .unknown)
    #expect(NextStepEvidence.good(.dualOld) { $0.old.version = nil }.result(.differentServers) == .unknown)
  }

  @Test func `the new store begins empty`() {
    #expect(NextStepEvidence.good(.oldOnly) { $0.new.keyspace?.keys = 1 }.result(.newStoreEmpty) == .notMet)
    #expect(NextStepEvidence.good(.oldOnly) { $0.new.keyspace?.keysElsewhere = 1 }.result(.newStoreEmpty) == .notMet)
    #expect(NextStepEvidence.good(.oldOnly) { $0.new.keyspace = nil }.result(.newStoreEmpty) == .unknown)
  }

  /// Differing and compared pipelines in the first and in the second half of the window.
  @Test(arguments: [
    ([0.0, 0.0, 0.0, 0.0], Criterion.Result.met), ([0, 1000, 0, 1000], .met), ([10, 1000, 5, 1000], .met),
    ([10, 1000, 10, 1000], .met), ([10, 1000, 11, 1000], .notMet), ([0, 1000, 1, 1000], .notMet),
    // The share counts, not the number.
    ([10, 1000, 15, 2000], .met), ([10, 2000, 10, 1000], .notMet),
    // It falls, and is still too much.
    ([500, 1000, 20, 1000], .notMet), ([500, 1000, 10, 1000], .met),
  ])
  func `differences may not grow, nor stay many`(_ counts: [Double], _ result: Criterion.Result) {
    let evidence = NextStepEvidence.good(.dualOld) { evidence in
      evidence.window.older.counts.differingPipelines = counts[0]
      evidence.window.older.counts.mismatchingPipelines = counts[0]
      evidence.window.older.counts.comparedPipelines = counts[1]
      evidence.window.younger.counts.differingPipelines = counts[2]
      evidence.window.younger.counts.mismatchingPipelines = counts[2]
      evidence.window.younger.counts.comparedPipelines = counts[3]
      evidence.window.whole.counts.differingPipelines = counts[0] + counts[2]
      evidence.window.whole.counts.mismatchingPipelines = counts[0] + counts[2]
      evidence.window.whole.counts.comparedPipelines = counts[1] + counts[3]
    }
    #expect(evidence.result(.diffs) == result)
  }

  /// With a fallback its own criterion tells what the new store lacks; what the old one lacks is not needed any more.
  @Test(arguments: [InstanceReport.State.Stage.dualOld, .dualNew], [false, true])
  func `keys that the other store lacks count only where nothing else tells`(
    _ stage: InstanceReport.State.Stage,
    _ fallsBack: Bool
  ) {
    let evidence = NextStepEvidence.good(stage) { evidence in
      if !fallsBack { evidence.state.reads = evidence.state.replies }
      for half in [\SampleHistory.Window.older, \.younger] {
        evidence.window[keyPath: half].counts.differingPipelines = 400
        evidence.window[keyPath: half].counts.comparedPipelines = 1000
      }
      evidence.window.whole.counts.differingPipelines = 800
      evidence.window.whole.counts.comparedPipelines = 2000
    }
    let counts = stage == .dualOld && !fallsBack
    #expect(evidence.result(.diffs) == (counts ? .notMet : .met))
    let measured = evidence.criterion(.diffs)?.measured ?? ""
    #expect(measured.hasPrefix(counts ? "800 of 2,000 pipelines differed" : "0 of 2,000 pipelines differed"))
    #expect(measured.hasSuffix("; 800 more only lack keys") == !counts)
    var mismatching = evidence
    mismatching.window.younger.counts.mismatchingPipelines = 400
    #expect(mismatching.result(.diffs) == .notMet)
  }

  @Test(arguments: [
    (0.0, 1_000_000.0, Criterion.Result.met), (1000, 1_000_000, .met), (1001, 1_000_000, .notMet), (1, 1000, .met),
    (2, 1000, .notMet),
    // Too few to tell, unless it is too much already.
    (0, 999, .unknown), (1, 10, .unknown), (2, 10, .notMet), (0, 0, .unknown),
  ])
  func `reads may need the old store in one of a thousand`(
    _ fallbacks: Double,
    _ reads: Double,
    _ result: Criterion.Result
  ) {
    let evidence = NextStepEvidence.good(.dualNew) { evidence in
      evidence.counted {
        $0.fallbackReads = fallbacks
        $0.primaryReads = reads
      }
    }
    #expect(evidence.result(.fallbackRatio) == result)
  }

  @Test func `without fallback reads there is no ratio to judge by`() {
    for stage in [InstanceReport.State.Stage.dualOld, .dualNew] {
      let evidence = NextStepEvidence.good(stage) { $0.state.reads = $0.state.replies }
      #expect(evidence.criterion(.fallbackRatio) == nil)
      #expect(NextStepJudge(evidence: evidence).nextStep?.answer == .yes)
    }
  }

  /// Average and longest time to live of the old store's keys, time of dual writes, all in seconds.
  @Test(
    arguments: [
      (600.0, 3600.0, 3600.0, Criterion.Result.met), (600, 3600, 3599, .notMet), (3600, 600, 7199, .notMet),
      (3600, 600, 7200, .met), (nil, 60, 60, .met), (60, nil, 120, .met), (60, nil, 119, .notMet),
      (nil, nil, 1_000_000, .unknown),
    ] as [(Double?, Double?, Double, Criterion.Result)]
  )
  func `it is warm after the longest time to live, or twice the average one if that is longer`(
    _ average: Double?,
    _ longest: Double?,
    _ dual: Double,
    _ result: Criterion.Result
  ) {
    for stage in [InstanceReport.State.Stage.dualOld, .dualNew] {
      let evidence = NextStepEvidence.good(stage) { evidence in
        evidence.old.keyspace?.averageTTLSeconds = average
        evidence.old.keyspace?.longestTTLSeconds = longest
        evidence.dualSeconds = dual
      }
      #expect(evidence.result(.warmUp) == result)
    }
  }

  @Test func `keys that never expire need no time, but a copy`() {
    let evidence = NextStepEvidence.good(.dualOld) { evidence in
      evidence.old.keyspace = .init(keys: 10, expiringKeys: 0, averageTTLSeconds: nil, longestTTLSeconds: nil)
      evidence.new.keyspace = .init(keys: 9, expiringKeys: 0, averageTTLSeconds: nil, longestTTLSeconds: nil)
      evidence.dualSeconds = 0
    }
    #expect(evidence.result(.warmUp) == .met)
    #expect(evidence.result(.keysWithoutTTL) == .notMet)
    #expect(evidence.criterion(.keysWithoutTTL)?.advice.contains("copy the others by other means") == true)
    var copied = evidence
    copied.new.keyspace?.keys = 10
    #expect(copied.result(.keysWithoutTTL) == .met)
  }

  @Test func `the new store has nearly as many keys as the old one`() {
    let few = NextStepEvidence.good(.dualOld) { $0.new.keyspace?.keys = 989 }
    #expect(few.result(.keyCounts) == .notMet)
    #expect(NextStepEvidence.good(.dualOld) { $0.new.keyspace?.keys = 990 }.result(.keyCounts) == .met)
    #expect(NextStepEvidence.good(.dualOld) { $0.new.keyspace = nil }.result(.keyCounts) == .unknown)
    let unknown = NextStepEvidence.good(.dualNew) { $0.old.keyspace = nil }
    for name in [Criterion.Name.warmUp, .keysWithoutTTL, .keyCounts] { #expect(unknown.result(name) == .unknown) }
  }

  @Test func `a step without a way back waits for a day`() {
    for stage in [InstanceReport.State.Stage.dualNew, .newOnly] {
      let young = NextStepEvidence.good(stage) { $0.stateSeconds = 86_399 }
      #expect(young.result(.soak) == .notMet)
      #expect(NextStepEvidence.good(stage) { $0.stateSeconds = 86_400 }.result(.soak) == .met)
    }
  }

  @Test func `every criterion says what was measured and wanted, and what to do unless it is met`() throws {
    var seen: Set<Criterion.Name> = []
    for (stage, isVerified) in InstanceReport.State.Stage.allCases.flatMap({ [($0, true), ($0, false)] }) {
      var evidence = NextStepEvidence.good(stage)
      if !isVerified { evidence.verifiedSeconds = nil }
      evidence.window = SampleHistory.Window()
      evidence.old.keyspace = nil
      evidence.new.keyspace = nil
      for criterion in try #require(NextStepJudge(evidence: evidence).nextStep).criteria {
        #expect(!criterion.measured.isEmpty && !criterion.threshold.isEmpty)
        #expect(criterion.result == .met || criterion.advice.hasSuffix("."), "\(criterion)")
        seen.insert(criterion.name)
      }
    }
    #expect(seen == Set(Criterion.Name.allCases))
  }
}
