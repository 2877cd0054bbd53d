internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Jobs that can't look at every key say so")
struct UnfinishedJobTests {
  /// Runs a job to its end.
  private func run(
    _ kind: KeyJobKind,
    _ instance: Instance,
    _ change: (inout KeyJobRequest) -> Void = { _ in }
  ) throws -> KeyJobProgress {
    var request = KeyJobRequest(kind)
    request.rate = 100_000
    change(&request)
    let core = instance.multiStore.instance
    try core.startJob(request, who: "test")
    try instance.run { core.jobProgress.allSatisfy { $0.state.hasEnded } }
    return try #require(core.jobProgress.first { $0.request.kind == kind })
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `a stale key is not taken for one that is written all the time`(role: StoreRole) throws {
    // Nothing is copied.
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "new")
    try instance.primary.command("SET", "k", "old")
    instance.database.store(role).markStale(key: Array("k".utf8), because: .lost)
    let progress = try run(.verify, instance) { $0.rounds = 1 }
    #expect(progress.state == .ended(.incomplete) && progress.count(.changing) == 0)
    #expect(progress.failures == ["stale on the \(role.label) store, and not copied in time": 1])
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }

  /// The store lost the values of keys that are stale on the default store: the operator decides which ones count.
  @Test func `trust is not given back while it would overwrite the default store`() throws {
    let instance = try Instance()
    let core = instance.multiStore.instance
    instance.database.secondary.markStale(key: Array("k".utf8), because: .lost)
    core.family(.primary).distrust(because: .anotherProcess, now: 1)
    core.verified(defaultStore: .secondary)
    #expect(!core.family(.primary).trust.isTrusted)
    instance.database.secondary.clearAllStale()
    core.verified(defaultStore: .secondary)
    #expect(core.family(.primary).trust.isTrusted)
  }

  @Test(arguments: [KeyJobKind.backfill, .verify])
  func `a database that the other store refuses is passed over`(kind: KeyJobKind) throws {
    let instance = try Instance(primarySettings: ["databases 4"]) {
      $0.keysPerSecond = 10_000
      $0.servesOtherDatabases = true
    }
    for database in ["2", "7", "9"] {
      try instance.secondary.command("SELECT", database)
      try instance.secondary.command("SET", "k", "v")
    }
    let progress = try run(kind, instance)
    #expect(progress.state == .ended(.incomplete))
    #expect(progress.failures.keys.sorted() == [7, 9].map { "the primary store refuses database \($0)" })
    #expect(progress.count(kind == .backfill ? .copied : .missing) == 1, "\(progress.counts)")
  }

  /// The server tells that there are keys, and the sidecar's user may not see them.
  @Test(arguments: [KeyJobKind.backfill, .verify])
  func `a database that the default store refuses is not left out in silence`(kind: KeyJobKind) throws {
    let instance = try Instance {
      $0.keysPerSecond = 10_000
      $0.servesOtherDatabases = true
    }
    try instance.primary.command("SET", "k", "v")
    try instance.secondary.command("SET", "k", "v")
    for client in [instance.primary, instance.secondary] {
      try client.command("SELECT", "2")
      try client.command("SET", "k", "v")
    }
    try instance.secondary.command("ACL", "SETUSER", "default", "-select")
    let progress = try run(kind, instance)
    #expect(progress.state == .ended(.incomplete))
    #expect(progress.failures == ["the secondary store refuses database 2, in which it has keys": 1])
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }

  /// No client can have such keys.
  @Test(arguments: [KeyJobKind.backfill, .verify])
  func `a database that the default store refuses is left out if it has no keys there`(kind: KeyJobKind) throws {
    let instance = try Instance {
      $0.keysPerSecond = 10_000
      $0.servesOtherDatabases = true
    }
    try instance.primary.command("SELECT", "7")
    try instance.primary.command("SET", "k", "v")
    try instance.secondary.command("ACL", "SETUSER", "default", "-select")
    let progress = try run(kind, instance)
    #expect(progress.state == .ended(.complete), "\(progress.failures)")
  }

  /// A backfill asks the other store, and a verification looks for what only that has.
  @Test(arguments: [(KeyJobKind.backfill, StoreRole.primary), (.verify, .secondary)])
  func `a store's refusal is the reason that is given`(kind: KeyJobKind, refusing: StoreRole) throws {
    let instance = try Instance { $0.keysPerSecond = 10_000 }
    try (kind == .backfill ? instance.secondary : instance.primary).command("SET", "k", "v")
    try instance.client(refusing).command("ACL", "SETUSER", "default", "-exists")
    let progress = try run(kind, instance)
    #expect(progress.state == .ended(.incomplete) && progress.failures == ["error reply NOPERM": 1])
  }

  @Test func `databases that a store does not tell may be left out`() throws {
    let instance = try Instance {
      $0.keysPerSecond = 10_000
      $0.servesOtherDatabases = true
    }
    try instance.secondary.command("SET", "k", "v")
    try instance.secondary.command("ACL", "SETUSER", "default", "-info")
    let progress = try run(.backfill, instance)
    #expect(progress.state == .ended(.incomplete) && progress.count(.copied) == 1)
    #expect(progress.failures.keys.contains { $0.hasPrefix("the secondary store does not tell which databases") })
  }

  /// All keys have been compared by then.
  @Test func `a verification does not end well when the other store was emptied behind it`() throws {
    let instance = try Instance()
    for client in [instance.primary, instance.secondary] {
      for number in 0..<1_000 { try client.command("SET", "k\(number)", "v") }
    }
    var request = KeyJobRequest(.verify)
    request.rate = 1_000
    let core = instance.multiStore.instance
    try core.startJob(request, who: "test")
    try instance.run { core.jobProgress[0].scannedKeys > 1_000 && core.jobProgress[0].count(.equal) == 1_000 }
    try instance.primary.command("FLUSHDB")
    try core.changeJob(.verify, .rate(100_000), who: "test")
    try instance.run { core.jobProgress[0].state.hasEnded }
    #expect(core.jobProgress[0].state == .ended(.incomplete) && core.jobProgress[0].differences == 0)
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }
}
