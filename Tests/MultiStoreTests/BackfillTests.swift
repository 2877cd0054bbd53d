internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Backfill")
struct BackfillTests {
  private func instance(dual: Bool = true, _ configure: (inout MultiStoreConfiguration) -> Void = { _ in }) throws
    -> Instance
  {
    try Instance(dual: dual) {
      $0.keysPerSecond = 10_000
      configure(&$0)
    }
  }

  private func request(_ change: (inout KeyJobRequest) -> Void = { _ in }) -> KeyJobRequest {
    var request = KeyJobRequest(.backfill)
    request.rate = 100_000
    change(&request)
    return request
  }

  private func start(_ request: KeyJobRequest, _ instance: Instance) throws {
    try instance.multiStore.instance.startJob(request, who: "test")
  }

  private func progress(_ instance: Instance) throws -> KeyJobProgress {
    try #require(instance.multiStore.instance.jobProgress.first { $0.request.kind == .backfill })
  }

  /// Runs a backfill to its end.
  private func run(_ request: KeyJobRequest, _ instance: Instance) throws -> KeyJobProgress {
    try start(request, instance)
    try instance.run { instance.multiStore.instance.jobProgress.allSatisfy { $0.state.hasEnded } }
    return try progress(instance)
  }

  @Test func `copies what the other store lacks, and leaves alone what it has`() throws {
    let instance = try instance()
    for number in 0..<1_000 { try instance.secondary.command("SET", "k\(number)", "v", "EX", "1000") }
    for line in ["RPUSH l a b", "SADD s a", "HSET h f v", "ZADD z 1 a", "XADD x 1-1 f v"] {
      try instance.secondary.command(words(line))
    }
    try instance.primary.command("SET", "k7", "other")
    let progress = try run(request(), instance)
    #expect(progress.state == .ended(.complete))
    #expect(progress.count(.copied) == 1_004 && progress.count(.present) == 1 && progress.count(.failed) == 0)
    #expect(progress.scannedKeys == 1_005 && progress.expectedKeys == 1_005 && progress.share == 1)
    #expect(try instance.primary.command("GET", "k7").string == "other")
    let expiry = try instance.secondary.command("PEXPIRETIME", "k7").integer ?? 0
    try instance.primary.command("SET", "k7", "v", "PXAT", "\(expiry)")
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
    #expect(instance.count(MultiStoreMetrics.jobKeys, ["kind": "backfill", "result": "copied"]) == 1_004)
    #expect(progress.isBackfilled)
  }

  @Test func `only counts in a dry run, and only what matches`() throws {
    let instance = try instance()
    for number in 0..<20 { try instance.secondary.command("SET", "a\(number)", "v") }
    try instance.secondary.command("RPUSH", "a-list", "v")
    try instance.secondary.command("SET", "b", "v")
    let dry = try run(request { ($0.isDryRun, $0.pattern, $0.type) = (true, "a*", "string") }, instance)
    #expect(dry.count(.copied) == 20 && dry.copiedBytes > 0 && !dry.isBackfilled)
    #expect(try instance.primary.command("DBSIZE").integer == 0)
    let real = try run(request { ($0.pattern, $0.type) = ("a*", "string") }, instance)
    #expect(real.count(.copied) == 20 && !real.isBackfilled)
    #expect(try instance.primary.command("DBSIZE").integer == 20)
  }

  @Test func `names large keys, and copies them alone`() throws {
    let instance = try instance { $0.largeKeyBytes = 100_000 }
    try instance.secondary.command("SETRANGE", "large", "200000", "x")
    try instance.secondary.command("SET", "small", "x")
    let progress = try run(request(), instance)
    #expect(progress.count(.copied) == 2)
    #expect(progress.largeKeys.map(\.key) == [Array("large".utf8)])
    #expect(progress.copiedBytes > 0)
  }

  @Test(arguments: [true, false])
  func `copies many keys of all sizes, whether or not scripts are permitted`(refusesScripts: Bool) throws {
    let instance = try instance { $0.largeKeyBytes = 100_000 }
    for number in 0..<3_000 {
      try instance.secondary.command("SET", "k\(number)", "v\(number)", "PXAT", "99999999999999")
      if number % 100 == 0 { try instance.secondary.command("SETRANGE", "m\(number)", "30000", "x") }
      if number % 1_000 == 0 { try instance.secondary.command("SETRANGE", "l\(number)", "300000", "x") }
    }
    if refusesScripts { try instance.secondary.command("ACL", "SETUSER", "default", "-eval", "-evalsha") }
    let progress = try run(request { $0.rate = 1_000_000 }, instance)
    #expect(progress.state == .ended(.complete) && progress.count(.copied) == 3_033, "\(progress.counts)")
    #expect(progress.largeKeys.count == 3)
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
  }

  @Test func `copies large keys that expire from a store that does not tell at which moment`() throws {
    let instance = try instance()
    for number in 0..<5 {
      try instance.secondary.command("SETRANGE", "k\(number)", "50000", "x")
      try instance.secondary.command("EXPIRE", "k\(number)", "1000")
    }
    try instance.secondary.command("ACL", "SETUSER", "default", "-pexpiretime")
    let progress = try run(request(), instance)
    #expect(progress.state == .ended(.complete) && progress.count(.copied) == 5, "\(progress.failures)")
    #expect((900...1_000).contains(try instance.primary.command("TTL", "k0").integer ?? 0))
  }

  @Test func `reports why a key could not be copied`() throws {
    let instance = try instance()
    try instance.secondary.command("SET", "k", "v")
    try instance.primary.command("ACL", "SETUSER", "default", "-restore")
    let progress = try run(request(), instance)
    #expect(progress.state == .ended(.incomplete))
    #expect(progress.count(.failed) == 1 && progress.failures.count == 1)
    #expect(progress.findings.map(\.key) == [Array("k".utf8)])
  }

  @Test func `is refused without dual write, beside another job, and without a primary store`() throws {
    let off = try instance(dual: false)
    #expect(throws: KeyJobRefusal.dualWriteOff) { try start(request(), off) }
    let instance = try instance()
    try instance.secondary.command("SET", "k", "v")
    try start(request { $0.rate = 1 }, instance)
    #expect(throws: KeyJobRefusal.busy(.backfill)) { try start(request(), instance) }
    try instance.multiStore.instance.changeJob(.backfill, .cancel, who: "test")
    #expect(try progress(instance).state == .ended(.cancelled))
    #expect(throws: KeyJobRefusal.notRunning(.backfill)) {
      try instance.multiStore.instance.changeJob(.backfill, .pause, who: "test")
    }
  }

  @Test func `waits while dual write is off, pauses, and takes another rate`() throws {
    let instance = try instance()
    for number in 0..<50 { try instance.secondary.command("SET", "k\(number)", "v") }
    try start(request { $0.rate = 1 }, instance)
    let core = instance.multiStore.instance
    try core.changeJob(.backfill, .pause, who: "test")
    #expect(try progress(instance).state == .paused(.operatorAsked))
    try core.changeJob(.backfill, .rate(100_000), who: "test")
    instance.multiStore.flags.exchange(FlagState(dualWrite: false, primaryAsDefault: false))
    try instance.run { !core.routingState.flip.current.isDual }
    try core.changeJob(.backfill, .resume, who: "test")
    try instance.run { (try? progress(instance).state) == .waiting(.dualWriteOff) }
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: false))
    try instance.run { (try? progress(instance).state.hasEnded) == true }
    #expect(try instance.primary.command("DBSIZE").integer == 50)
  }

  @Test func `is paused by a move of the default store, and begins anew in the other direction`() throws {
    let instance = try instance()
    for number in 0..<50 { try instance.secondary.command("SET", "k\(number)", "v") }
    try start(request { $0.rate = 1 }, instance)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    try instance.run { (try? progress(instance).state) == .paused(.defaultMoved) }
    try instance.primary.command("SET", "new", "v")
    let core = instance.multiStore.instance
    try core.changeJob(.backfill, .rate(100_000), who: "test")
    try core.changeJob(.backfill, .resume, who: "test")
    try instance.run { (try? progress(instance).state) == .ended(.complete) }
    #expect(try progress(instance).defaultStore == .primary)
    #expect(try instance.secondary.command("GET", "new").string == "v")
  }

  /// What the other sidecar does to a key between its dump and its RESTORE.
  @Test func `does not bring back a key that another sidecar deletes meanwhile`() throws {
    let instance = try instance()
    for number in 0..<2_000 { try instance.secondary.command("SET", "k\(number)", "v") }
    try start(request { $0.rate = 20_000 }, instance)
    var next = 0
    try instance.run {
      // Another sidecar's order: the default store first.
      for _ in 0..<20 where next < 2_000 {
        _ = try? instance.secondary.command("DEL", "k\(next)")
        _ = try? instance.primary.command("DEL", "k\(next)")
        next += 1
      }
      return next == 2_000 && (try? progress(instance).state.hasEnded) == true
    }
    #expect(try instance.primary.command("DBSIZE").integer == 0)
  }

  /// The keys that were copied are gone, and another process of the scanned store has other cursors.
  @Test(arguments: [StoreRole.primary, .secondary])
  func `begins again when a store is replaced meanwhile`(role: StoreRole) throws {
    let instance = try instance()
    for number in 0..<2_000 { try instance.secondary.command("SET", "k\(number)", "v") }
    try instance.secondary.command("SAVE")
    try start(request { $0.rate = 1_000 }, instance)
    try instance.run { (try? progress(instance).count(.copied)) ?? 0 > 200 }
    let server = role == .primary ? instance.primaryServer : instance.secondaryServer
    try instance.takeDown(role)
    try server.restart()
    try instance.run { instance.database.store(role).isReady }
    #expect(try progress(instance).count(.copied) < 200, "it has begun again")
    try instance.multiStore.instance.changeJob(.backfill, .rate(100_000), who: "test")
    try instance.run { (try? progress(instance).state.hasEnded) == true }
    #expect(try progress(instance).state == .ended(.complete))
    for server in [instance.primaryServer, instance.secondaryServer] {
      #expect(try server.client().command("DBSIZE").integer == 2_000)
    }
  }

  /// As by the runbook's way back in the middle of it.
  @Test func `begins again when the other store was emptied while dual write was off`() throws {
    let instance = try instance()
    for number in 0..<2_000 { try instance.secondary.command("SET", "k\(number)", "v") }
    let core = instance.multiStore.instance
    try start(request { $0.rate = 1_000 }, instance)
    try instance.run { (try? progress(instance).count(.copied)) ?? 0 > 500 }
    instance.multiStore.flags.exchange(FlagState())
    try instance.run { !core.routingState.flip.current.isDual }
    try instance.primary.command("FLUSHDB")
    // Copies that were on their way.
    for number in 0..<10 { try instance.primary.command("SET", "k\(number)", "v") }
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    try instance.run { core.routingState.flip.current.isDual && (try? progress(instance).count(.copied)) ?? 0 < 500 }
    try core.changeJob(.backfill, .rate(100_000), who: "test")
    try instance.run { (try? progress(instance).state.hasEnded) == true }
    #expect(try progress(instance).state == .ended(.complete))
    #expect(try instance.primary.command("DBSIZE").integer == 2_000)
  }

  /// Databases that it has not reached are empty on the other store.
  @Test func `of several databases is not taken for one of an emptied store`() throws {
    let instance = try instance { $0.servesOtherDatabases = true }
    for database in 1...3 {
      try instance.secondary.command("SELECT", "\(database)")
      for number in 0..<300 { try instance.secondary.command("SET", "k\(number)", "v") }
    }
    let core = instance.multiStore.instance
    try start(request { $0.rate = 1_000 }, instance)
    var copied = 0
    try instance.run {
      guard let progress = try? progress(instance), progress.count(.copied) >= copied else { return true }
      copied = progress.count(.copied)
      core.lookForEmptiedStore()
      return progress.state.hasEnded
    }
    let ended = try progress(instance)
    #expect(ended.state == .ended(.complete) && ended.count(.copied) == 900, "\(ended.counts)")
    #expect(!instance.messages.contains { $0.hasPrefix("Store was emptied") })
  }

  /// While it runs the store is not seen empty.
  @Test(arguments: [1_000, 300])
  func `does not end well when keys are gone again`(count: Int) throws {
    let instance = try instance()
    for number in 0..<2_000 { try instance.secondary.command("SET", "k\(number)", "v") }
    try start(request { $0.rate = 1_000 }, instance)
    try instance.run { (try? progress(instance).count(.copied)) ?? 0 > count }
    try instance.primary.command("FLUSHDB")
    try instance.multiStore.instance.changeJob(.backfill, .rate(100_000), who: "test")
    try instance.run { (try? progress(instance).state.hasEnded) == true }
    let ended = try progress(instance)
    #expect(ended.state == .ended(.incomplete) && !ended.isBackfilled, "\(ended.counts)")
    #expect(ended.failures.keys.contains { $0.hasPrefix("the other store has fewer keys") })
  }

  /// Other servers than those of the checkpoint have other cursors, and other keys.
  @Test func `begins again in the next process with other servers`() throws {
    var request = request()
    request.rate = 100_000
    var progress = KeyJobProgress(request, defaultStore: .secondary, now: 1)
    progress.add(.copied, 5)
    var snapshot = StalenessSnapshot()
    (snapshot.defaultStore, snapshot.isWatchful, snapshot.wasStopped) = (.secondary, true, true)
    let place = ScanCourse.Place(database: 0, role: .secondary)
    let position = ScanCourse.Position(place: place, cursor: KeyScan.start)
    snapshot.jobs = [.backfill: KeyJobCheckpoint(progress: progress, position: position, runIDs: [:])]
    let interrupted = KeyJobProgress(KeyJobRequest(.verify), defaultStore: .secondary, now: 1)
    snapshot.jobs[.verify] = KeyJobCheckpoint(progress: interrupted, position: position, runIDs: [:])
    let recorder = JobRecorder()
    // With dual write on, the job could end before there is a key.
    let memory = StalenessMemory(snapshot: snapshot, recorder: recorder)
    let instance = try Instance(dual: false, memory: memory) { $0.keysPerSecond = 10_000 }
    try instance.secondary.command("SET", "k", "v")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    try instance.run { instance.multiStore.instance.jobProgress.allSatisfy { $0.state.hasEnded } }
    let backfill = try self.progress(instance)
    #expect(backfill.state == .ended(.complete) && backfill.startedMilliseconds == 1)
    #expect(backfill.count(.copied) == 1, "what was copied to other servers does not count")
    let verify = instance.multiStore.instance.jobProgress.first { $0.request.kind == .verify }
    #expect(verify?.state == .ended(.interrupted))
    #expect(recorder.states.last == .ended(.complete))
  }
}

/// Keeps the states of jobs that are recorded.
private final class JobRecorder: StalenessRecorder, @unchecked Sendable {
  // Only the test's thread runs the loop.
  var states: [KeyJobState] = []

  func append(_ change: StalenessChange) {
    if case .job(let checkpoint) = change { states.append(checkpoint.progress.state) }
  }
}
