internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Stale keys heal")
struct HealingTests {
  /// An instance whose other store misses its timeout soon.
  private func impatient(
    _ flags: (dual: Bool, primaryAsDefault: Bool) = (true, false),
    _ configure: (inout MultiStoreConfiguration) -> Void = { _ in }
  ) throws -> Instance {
    try Instance(dual: flags.dual, primaryAsDefault: flags.primaryAsDefault) {
      // Below it a store on a busy machine would be taken for one that hangs, and copies be postponed.
      $0.otherStoreTimeout = .seconds(1)
      $0.keysPerSecond = 1000
      configure(&$0)
    }
  }

  /// Runs `body` while `role`'s store does not answer. Its connection has failed before the server goes on.
  private func hang(_ role: StoreRole, of instance: Instance, _ body: () throws -> Void) throws {
    let server = role == .primary ? instance.primaryServer : instance.secondaryServer
    server.pause()
    defer { server.resume() }
    try body()
    try instance.run { !instance.database.store(role).ordinary.takesCommands }
  }

  private func execute(_ lines: String..., as kind: BatchKind? = nil, on instance: Instance) throws -> String {
    let sink = instance.begin(lines, as: kind, in: instance.database)
    try instance.run { sink.isDone }
    return sink.text
  }

  private final class Waiter: KeyCopyWaiter {
    private(set) var copy: KeyCopy?

    func keyCopyDidFinish(_ copy: KeyCopy) { self.copy = copy }
  }

  /// Its copy, because of a verification for example, is in flight when the default store moves.
  @Test func `a key that is not stale keeps the value that the new default store gets`() throws {
    let instance = try Instance()
    let primary = try #require(instance.database.primary)
    try instance.secondary.command("SET", "k", "old")
    let waiter = Waiter()
    instance.database.heal(Array("k".utf8), on: primary, for: waiter)
    _ = instance.multiStore.instance.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(try execute("SET k new", on: instance) == "+OK|")
    try instance.run { waiter.copy != nil }
    guard case .overtaken = waiter.copy?.outcome else {
      Issue.record("\(String(describing: waiter.copy?.outcome))")
      return
    }
    #expect(primary.isDefault)
    #expect(try instance.primary.command("GET", "k") == .text("new"))
    #expect(try instance.secondary.command("GET", "k") == .text("new"))
  }

  /// The write in flight makes the key stale on the store that had its value, too, since that store may have executed
  /// it.
  @Test func `never with a value that is outdated itself`() throws {
    let instance = try impatient { $0.secondary.limits.commandTimeout = .seconds(3) }
    // The default store moves before the write has failed.
    instance.multiStore.instance.routingState.holdLimit = .milliseconds(100)
    let primary = try #require(instance.database.primary)
    let secondary = instance.database.secondary
    _ = try instance.execute("RPUSH l a")
    try hang(.primary, of: instance) {
      #expect(try execute("RPUSH l b", on: instance) == ":2|")
      instance.secondaryServer.pause()
      defer { instance.secondaryServer.resume() }
      let sink = instance.begin(["RPUSH l c"], as: nil, in: instance.database)
      let flags = instance.multiStore.instance.flags
      _ = flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
      try instance.run { primary.isDefault }
      try instance.run { sink.isDone }
      #expect(sink.text.hasPrefix("-ERR"), "\(sink.text)")
      #expect(primary.stale.count == 1 && secondary.stale.count == 1)
      _ = flags.exchange(FlagState(dualWrite: true, primaryAsDefault: false))
      try instance.run { secondary.isDefault }
      #expect(primary.stale.count == 1 && secondary.stale.isEmpty)
    }
    try instance.run { primary.stale.isEmpty }
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("LRANGE", "l", "0", "1") == .array([.text("a"), .text("b")]))
    }
  }

  private func expectHealed(_ instance: Instance, _ role: StoreRole, _ count: Int64) throws {
    try instance.run { [database = instance.database] in database.store(role).stale.isEmpty }
    #expect(instance.count(MultiStoreMetrics.healedKeys, ["store": role.label, "outcome": "healed"]) == count)
    for command in ["DEBUG DIGEST", "DBSIZE"] {
      #expect(try instance.primary.command(words(command)) == instance.secondary.command(words(command)))
    }
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `by themselves, once the store is back`(role: StoreRole) throws {
    let instance = try impatient((true, role == .secondary))
    for line in ["SET gone v", "SET s old", "RPUSH l a", "HSET h f 1"] { _ = try instance.execute(line) }
    try hang(role, of: instance) {
      for line in ["DEL gone", "SET s new", "RPUSH l b", "HSET h g 2", "SET t v EX 1000", "SADD new m"] {
        _ = try execute(line, on: instance)
      }
      #expect(try execute("INCR n", "APPEND s er", as: .pipelined, on: instance) == ":1|:5|")
      #expect(try execute("ZADD z 1 a", "PERSIST t", as: .multi, on: instance) == "*2|:1|:1|")
    }
    #expect(instance.database.store(role).stale.count == 8)
    try expectHealed(instance, role, 8)
  }

  /// A refused DEL leaves the outdated value.
  @Test(arguments: [StoreRole.primary, .secondary])
  func `not when the store refuses to remove a key`(role: StoreRole) throws {
    let instance = try Instance(primaryAsDefault: role == .secondary) { $0.keysPerSecond = 1000 }
    for line in ["SET gone v", "SET moved v", "RPUSH l a"] { _ = try instance.execute(line) }
    let store = instance.client(role)
    #expect(try store.command("CONFIG", "SET", "min-replicas-to-write", "1") == .ok)
    for line in ["DEL gone", "RENAME moved there", "LPOP l"] { _ = try execute(line, on: instance) }
    let labels = ["store": role.label, "outcome": "failed"]
    try instance.run { instance.count(MultiStoreMetrics.healedKeys, labels) ?? 0 >= 4 }
    #expect(instance.count(MultiStoreMetrics.healedKeys, ["store": role.label, "outcome": "healed"]) == 0)
    #expect(instance.database.store(role).stale.count == 4)
    for line in ["GET gone", "GET moved", "LINDEX l 0"] {
      #expect(try execute(line, on: instance) == "$-1|", "\(line)")
    }
    #expect(try store.command("CONFIG", "SET", "min-replicas-to-write", "0") == .ok)
    instance.database.store(role).stale.retryAll()
    try expectHealed(instance, role, 4)
  }

  /// The values that only the other store had are gone, or older than those of the default store.
  @Test(arguments: [true, false])
  func `not from a store that came back as another process`(isEmpty: Bool) throws {
    let instance = try Instance(primaryAsDefault: true) { $0.keysPerSecond = 1000 }
    for line in ["SET k oldest", "SET other v"] { _ = try instance.execute(line) }
    if !isEmpty { #expect(try instance.secondary.command("SAVE") == .ok) }
    _ = try instance.execute("SET k old")
    #expect(try instance.secondary.command("SET", "k", "new") == .ok)
    try hang(.secondary, of: instance) {
      instance.database.primary?.markStale(key: Array("k".utf8), because: .lost)
      instance.secondaryServer.kill()
    }
    try instance.secondaryServer.restart()
    try instance.run { instance.count(MultiStoreMetrics.storeRestarts, ["store": "secondary"]) == 1 }
    if !isEmpty {
      let refusal = try execute("GET k", on: instance)
      #expect(refusal.hasPrefix("-ERR MultiStore: ") && refusal.contains("came back as another process"))
      #expect(try execute("INCR n", "GET k", as: .pipelined, on: instance).contains("stale accept"))
      #expect(try execute("GET other", on: instance) == "$1|v|")
      #expect(instance.multiStore.status.trust(of: .secondary).loss == .anotherProcess)
      #expect(instance.multiStore.instance.acceptStaleKeys(who: "eve", why: "test").count == 1)
    }
    #expect(try execute("GET k", on: instance) == "$3|old|")
    try instance.run { [database = instance.database] in database.primary?.stale.isEmpty == true }
    #expect(try instance.primary.command("GET", "k") == .text("old"))
  }

  @Test func `under writes that come meanwhile`() throws {
    let instance = try impatient { $0.keysPerSecond = 100 }
    try hang(.primary, of: instance) {
      for number in 0..<60 { _ = try execute("RPUSH l\(number) a", on: instance) }
    }
    var sinks: [Sink] = []
    var round = 0
    try instance.run { [database = instance.database] in
      if database.primary?.stale.isEmpty == true { return sinks.allSatisfy(\.isDone) }
      for number in 0..<3 { sinks.append(instance.begin("RPUSH l\((round * 7 + number) % 60) b\(round)")) }
      round += 1
      return false
    }
    try instance.run { [database = instance.database] in database.primary?.ordinary.inFlightCount == 0 }
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
  }

  @Test func `but a key that the store refuses is left alone for a while`() throws {
    let instance = try impatient()
    try hang(.primary, of: instance) { _ = try execute("SET k v", on: instance) }
    _ = try instance.primary.command("CONFIG", "SET", "maxmemory", "1")
    try instance.run {
      instance.count(MultiStoreMetrics.healedKeys, ["store": "primary", "outcome": "failed"]) == 1
    }
    #expect(instance.database.primary?.stale.hasNext == false)
    #expect(instance.database.primary?.stale.count == 1)
    #expect(try execute("GET k", on: instance) == "$1|v|")
  }

  @Test func `and what was written while dual write was off is stale until it is on again`() throws {
    let instance = try Instance { $0.keysPerSecond = 1000 }
    for line in ["SET k 1", "RPUSH l a", "SET gone v", "SET same v"] { _ = try instance.execute(line) }
    instance.multiStore.flags.exchange(FlagState())
    #expect(try instance.execute("SET k 2") == "+OK|")
    #expect(try instance.execute("RPUSH l b", "DEL gone", as: .multi) == "*2|:2|:1|")
    #expect(try instance.execute("GET same") == "$1|v|")
    #expect(try instance.primary.command("GET", "k").string == "1")
    #expect(instance.database.primary?.stale.count == 3)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    #expect(try instance.execute("GET k") == "$1|2|")
    try expectHealed(instance, .primary, 3)
  }

  @Test func `and more than are remembered make the store one that is not trusted`() throws {
    let instance = try Instance { $0.staleKeyLimit = 5 }
    _ = try instance.execute("SET k 1")
    instance.multiStore.flags.exchange(FlagState())
    for number in 0..<6 { _ = try instance.execute("SET k\(number) v") }
    _ = try instance.execute("SET k 2")
    let status = instance.multiStore.status
    #expect(status.trust(of: .primary).loss == .overflow && !instance.multiStore.instance.marksWrites)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    #expect(try instance.execute("GET k") == "$1|2|")
    #expect(try instance.execute("APPEND k 3") == ":2|")
    #expect(try instance.primary.command("GET", "k").string == "23", "partial writes copy the whole key")
    #expect(instance.multiStore.instance.trust(.primary, who: "me", why: "compared"))
    #expect(!instance.multiStore.instance.trust(.primary, who: "me", why: "compared"))
    #expect(status.trust(of: .primary).isTrusted)
    #expect(instance.messages.contains("Store trusted again, as the operator says"))
  }

  @Test func `a flip waits for the stale keys of the next default store`() throws {
    let instance = try Instance { $0.keysPerSecond = 1 }
    let primary = try #require(instance.database.primary)
    for number in 0..<100 {
      try instance.secondary.command("SET", "k\(number)", "v")
      primary.markStale(key: Array("k\(number)".utf8), because: .lost)
    }
    try instance.run { primary.stale.count < 100 }
    #expect(primary.stale.count > 90, "one in a second")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(try execute("GET k99", on: instance) == "$1|v|")
    #expect(instance.multiStore.status.defaultStore == .primary)
    try expectHealed(instance, .primary, 100)
  }
}

@Suite("Trust in a store")
struct StoreTrustTests {
  @Test(arguments: [StoreRole.primary, .secondary])
  func `is lost when it comes back with an older snapshot, and none of its values is read`(role: StoreRole) throws {
    let instance = try Instance(primaryAsDefault: role == .secondary)
    let server = role == .primary ? instance.primaryServer : instance.secondaryServer
    for line in ["SET k old", "RPUSH l a"] { _ = try instance.execute(line) }
    #expect(try instance.client(role).command("SAVE") == .ok)
    for line in ["SET k new", "RPUSH l b"] { _ = try instance.execute(line) }
    try server.restart()
    try instance.run { [status = instance.multiStore.status] in status.trust(of: role).loss == .anotherProcess }
    try instance.run { [database = instance.database] in database.store(role).isReady }
    #expect(try instance.execute("GET k") == "$3|new|")
    #expect(try instance.execute("RPUSH l c") == ":3|")
    #expect(try server.client().command("LRANGE", "l", "0", "-1").elements?.map(\.string) == ["a", "b", "c"])
    #expect(instance.count(MultiStoreMetrics.trustLosses, ["store": role.label, "reason": "another_process"]) == 1)
  }

  @Test func `stays when it comes back empty, and comes back when it is emptied`() throws {
    let instance = try Instance()
    _ = try instance.execute("SET k v")
    try instance.primaryServer.restart()
    try instance.run { [database = instance.database] in
      instance.count(MultiStoreMetrics.storeRestarts, ["store": "primary"]) == 1 && database.primary?.isReady == true
    }
    #expect(instance.multiStore.status.trust(of: .primary).isTrusted)
    #expect(try instance.execute("GET k") == "$1|v|")
    let client = try instance.primaryServer.client()
    #expect(try client.command("SET", "old", "value") == .ok && client.command("SAVE") == .ok)
    try instance.primaryServer.restart()
    try instance.run { [status = instance.multiStore.status] in !status.trust(of: .primary).isTrusted }
    let again = try instance.primaryServer.client()
    #expect(try again.command("FLUSHALL") == .ok && again.command("SAVE") == .ok)
    try instance.primaryServer.restart()
    try instance.run { [status = instance.multiStore.status] in status.trust(of: .primary).isTrusted }
    #expect(instance.messages.contains("Store trusted again: it is empty"))
  }

  /// It gets its master's keys later, which may be any.
  @Test func `does not come back when it is an empty replica`() throws {
    let instance = try Instance()
    let primary = try #require(instance.database.primary)
    primary.family.distrust(because: .uncleanStop, now: 1)
    for (master, isTrusted) in [("127.0.0.1 1", false), ("NO ONE", true)] {
      #expect(try instance.primary.command(["REPLICAOF"] + words(master)) == .ok)
      let epoch = primary.ordinary.epoch
      try instance.primary.command("CLIENT", "KILL", "TYPE", "normal")
      try instance.run { primary.ordinary.epoch > epoch && primary.isReady }
      #expect(primary.family.trust.isTrusted == isTrusted, "REPLICAOF \(master)")
    }
  }

  @Test func `does not concern a store that has never got all writes`() throws {
    let instance = try Instance(dual: false)
    #expect(try instance.primary.command("SET", "old", "value") == .ok)
    #expect(try instance.primary.command("SAVE") == .ok)
    try instance.primaryServer.restart()
    try instance.run { instance.count(MultiStoreMetrics.storeRestarts, ["store": "primary"]) == 1 }
    #expect(instance.multiStore.status.trust(of: .primary).isTrusted)
  }

  @Test func `of the old default store is lost when the default moves to one that was not trusted`() throws {
    let instance = try Instance { $0.staleKeyLimit = 0 }
    let family = instance.multiStore.instance.family(.primary)
    family.distrust(because: .uncleanStop, now: 1)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    _ = try instance.execute("GET k")
    let status = instance.multiStore.status
    #expect(status.trust(of: .primary).isTrusted && status.trust(of: .secondary).loss == .forcedMove)
    #expect(instance.count(MultiStoreMetrics.forcedMoves) == 1)
  }
}

@Suite("What one process leaves to the next")
struct StalenessMemoryTests {
  private final class Recorder: StalenessRecorder, @unchecked Sendable {
    // Only the test's thread runs the loop.
    var changes: [StalenessChange] = []
    func append(_ change: StalenessChange) { changes.append(change) }
  }

  private func instance(
    _ snapshot: StalenessSnapshot,
    _ recorder: Recorder,
    primaryAsDefault: Bool = false,
    settledChecks: Int = 0
  ) throws -> Instance {
    try Instance(
      primaryAsDefault: primaryAsDefault,
      memory: StalenessMemory(snapshot: snapshot, recorder: recorder),
      preparedBy: ["SET k v"]
    ) {
      $0.keysPerSecond = 1
      $0.settledChecksPerSecond = settledChecks
    }
  }

  @Test func `keys that were not compared before the stop are stale for the next process`() throws {
    let recorder = Recorder()
    let instance = try instance(StalenessSnapshot(), recorder, settledChecks: 1)
    _ = try instance.execute("SET a v", "SET b v", "SET a w")
    instance.multiStore.close()
    try instance.run { recorder.changes.last == .stopped }
    let unchecked = recorder.changes.compactMap { change in
      if case .marked(.primary, let key) = change, key.reason == .unchecked {
        String(decoding: key.key, as: UTF8.self)
      } else {
        nil
      }
    }
    #expect(unchecked.sorted() == ["a", "b"])
  }

  @Test func `more stale keys than the limit permits now end the trust`() throws {
    var snapshot = StalenessSnapshot()
    snapshot.defaultStore = .secondary
    (snapshot.isWatchful, snapshot.wasStopped) = (true, true)
    snapshot.staleKeys[.primary] = (0..<3).map {
      StaleKey(key: Array("k\($0)".utf8), database: 0, sinceMilliseconds: 5, reason: .timeout)
    }
    for (limit, loss) in [(3, nil), (2, TrustLoss.overflow)] {
      let memory = StalenessMemory(snapshot: snapshot, recorder: Recorder())
      // A store that is empty is trusted.
      let instance = try Instance(memory: memory, preparedBy: ["SET k v"]) { $0.staleKeyLimit = limit }
      #expect(instance.multiStore.status.trust(of: .primary).loss == loss)
    }
  }

  @Test func `stale keys are known from the start, and heal`() throws {
    var snapshot = StalenessSnapshot()
    snapshot.defaultStore = .secondary
    (snapshot.isWatchful, snapshot.wasStopped) = (true, true)
    let key = StaleKey(key: Array("k".utf8), database: 0, sinceMilliseconds: 5, reason: .timeout)
    snapshot.staleKeys[.primary] = [key]
    let recorder = Recorder()
    let instance = try instance(snapshot, recorder)
    #expect(instance.multiStore.status.trust(of: .primary).isTrusted)
    try instance.run { [database = instance.database] in database.primary?.stale.isEmpty == true }
    #expect(recorder.changes.contains(.cleared(.primary, database: 0, key: key.key)))
    #expect(recorder.changes.contains(.routing(defaultStore: .secondary, isWatchful: true)))
    instance.multiStore.close()
    try instance.run { recorder.changes.last == .stopped }
  }

  @Test func `a stop is recorded after the keys of commands that it cuts off`() throws {
    let recorder = Recorder()
    let instance = try instance(StalenessSnapshot(), recorder)
    instance.primaryServer.pause()
    defer { instance.primaryServer.resume() }
    instance.begin("SET cut v")
    try instance.run { instance.database.primary?.ordinary.inFlightCount == 1 }
    instance.multiStore.close()
    try instance.run { recorder.changes.contains(.stopped) }
    let isMarked = recorder.changes.contains { change in
      if case .marked(.primary, let key) = change { key.key == Array("cut".utf8) } else { false }
    }
    #expect(isMarked && recorder.changes.last == .stopped, "\(recorder.changes)")
  }

  @Test func `after damage the default store is read all the same`() throws {
    var snapshot = StalenessSnapshot()
    snapshot.isDamaged = true
    let instance = try instance(snapshot, Recorder())
    try instance.secondary.command("SET", "old", "v")
    instance.multiStore.instance.family(.primary).becomeTrusted()
    #expect(try instance.execute("GET old") == "$1|v|")
    #expect(try instance.execute("MGET old nobody") == "*2|$1|v|$-1|")
  }

  /// Nobody knows which store the file was about. Once the stores are known to be equal, a move leaves no store behind
  /// of which nothing is taken.
  @Test func `after damage both stores are trusted again together`() throws {
    var snapshot = StalenessSnapshot()
    snapshot.isDamaged = true
    let instance = try instance(snapshot, Recorder())
    let (core, status) = (instance.multiStore.instance, instance.multiStore.status)
    let areTrusted = { [StoreRole.primary, .secondary].map { status.trust(of: $0).isTrusted } }
    #expect(areTrusted() == [false, false])
    #expect(core.trust(.primary, who: "me", why: "compared"))
    #expect(areTrusted() == [true, true])
    for role in [StoreRole.primary, .secondary] { core.family(role).distrust(because: .stateDamaged, now: 1) }
    core.verified(defaultStore: .secondary)
    #expect(areTrusted() == [true, true])
    try instance.secondary.command("SET", "n", "101")
    _ = core.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(try instance.execute("INCR n") == ":102|")
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `a stop that was not clean costs the other store its trust`(other: StoreRole) throws {
    var snapshot = StalenessSnapshot()
    (snapshot.defaultStore, snapshot.isWatchful) = (other.other, true)
    let recorder = Recorder()
    let instance = try instance(snapshot, recorder, primaryAsDefault: other == .secondary)
    #expect(instance.multiStore.status.trust(of: other).loss == .uncleanStop)
    #expect(instance.multiStore.status.trust(of: other.other).isTrusted)
    snapshot.isWatchful = false
    #expect(try self.instance(snapshot, recorder).multiStore.status.trust(of: other).isTrusted)
  }
}
