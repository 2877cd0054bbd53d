internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Writes of all effects that both stores execute; the last word of each line of a row is what is compared afterwards.
private let rows: [(setup: String, writes: [String])] = [
  ("PING", ["SET k v", "SET k w EX 100", "SET k x KEEPTTL", "SET k y XX GET", "SET k z NX"]),
  ("PING", ["SET k v PX 100000", "GETEX k EX 500", "GETEX k PERSIST", "APPEND k w", "INCR n", "INCRBYFLOAT n 0.5"]),
  ("PING", ["SETEX k 100 v", "PSETEX l 100000 w", "SETNX m v", "SETNX m w", "GETSET k x", "GETDEL l"]),
  ("PING", ["MSET k 1 l 2", "MSETNX m 1 n 2", "MSETNX n 3 o 4", "DEL k", "RENAME l k", "COPY k l", "UNLINK m"]),
  ("SET k v", ["EXPIRE k 100", "EXPIRE k 50 GT", "PEXPIRE k 100000 LT", "PERSIST k", "EXPIREAT k 4000000000"]),
  ("SET k v", ["EXPIRE absent 10", "EXPIRE k -1"]),
  ("PING", ["HSET k f v", "HSETNX k f w", "HSETNX k g w", "HINCRBY k n 3", "HDEL k f"]),
  (
    "PING",
    ["RPUSH k a b c d", "LPUSH k z", "LPOP k", "RPOP k 2", "LREM k 1 b", "LMOVE k l LEFT RIGHT", "LPUSHX none a"]
  ),
  ("PING", ["SADD k a b", "SREM k a", "SMOVE k l b", "SADD k c", "SINTERSTORE d k k", "SORT k ALPHA STORE e"]),
  ("PING", ["ZADD k 1 a 2 b 3 c", "ZADD k NX 9 a", "ZINCRBY k 5 a", "ZPOPMIN k", "ZREMRANGEBYRANK k 0 0"]),
  (
    "PING", ["XADD k * f v", "XADD k NOMKSTREAM MAXLEN 2 * f w", "XADD absent NOMKSTREAM * f w", "XGROUP CREATE k g $"]
  ),
  (
    "PING",
    ["SETBIT k 7 1", "BITFIELD k INCRBY u8 0 1", "PFADD h a b", "GEOADD g 1 1 a", "SETRANGE k 5 x", "BITOP NOT d k"]
  ),
  ("PING", ["SADD k a b c d e f", "SPOP k", "SPOP k 3", "SUNIONSTORE d k none", "SDIFFSTORE d none k"]),
  ("PING", ["RPUSH k a b c", "LMPOP 2 none k RIGHT COUNT 2", "ZADD z 1 a 2 b 3 c", "ZMPOP 2 none z MAX COUNT 2"]),
  ("SET k v EX 100", ["RENAME k l", "COPY l m", "RENAMENX m n", "EVAL return(redis.call('INCR',KEYS[1])) 1 c"]),
]

@Suite("Writes")
struct WriteTests {
  @Test("Both stores hold the same after dual writes", arguments: [false, true], WriteAcknowledgement.allCases)
  func sameData(primaryAsDefault: Bool, acknowledgement: WriteAcknowledgement) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = acknowledgement }
    for (setup, writes) in rows {
      try instance.both("FLUSHALL")
      try instance.both(setup)
      for line in writes {
        let reply = try instance.execute(line)
        #expect(!reply.hasPrefix("-"), "\(line): \(reply)")
        let data = try [instance.primary, instance.secondary].map(Self.data)
        #expect(data[0].mapValues(\.digest) == data[1].mapValues(\.digest), "\(line)")
        for (key, value) in data[0] {
          // The deadline of the copy counts from the reply, so it is no earlier and a little later.
          let late = data[1][key].map { abs($0.expiresAt - value.expiresAt) }
          #expect(late.map { $0 < 10_000 } == true, "\(line)")
        }
      }
      #expect(try instance.primary.command("DBSIZE") != .integer(0) || setup == "SET k v", "\(writes) left nothing")
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.uncopiedWrites) == 0)
  }

  /// All keys with the digests of their values, which don't depend on a set's order, and the times at which they expire
  /// in milliseconds.
  private static func data(_ client: RESPClient) throws -> [String: (digest: RESPReply, expiresAt: Int)] {
    let keys = try client.command("KEYS", "*").elements?.compactMap(\.string) ?? []
    let all = try client.pipeline(keys.flatMap { [["DEBUG", "DIGEST-VALUE", $0], ["PEXPIRETIME", $0]] })
    return Dictionary(
      uniqueKeysWithValues: try keys.enumerated().map { index, key in
        (key, (all[2 * index], try #require(all[2 * index + 1].integer)))
      }
    )
  }

  @Test("With dual writes off one store alone is written", arguments: [false, true])
  func single(primaryAsDefault: Bool) throws {
    let instance = try Instance(dual: false, primaryAsDefault: primaryAsDefault)
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(try instance.primary.command("EXISTS", "k") == .integer(primaryAsDefault ? 1 : 0))
    #expect(try instance.secondary.command("EXISTS", "k") == .integer(primaryAsDefault ? 0 : 1))
  }

  @Test("The default store's reply is the client's, always", arguments: [false, true])
  func reply(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    try instance.primary.command("SET", "n", "100")
    try instance.secondary.command("SET", "n", "10")
    #expect(try instance.execute("INCR n") == (primaryAsDefault ? ":101|" : ":11|"))
  }

  @Test("What the default store refuses the other one never sees", arguments: [false, true])
  func errorStopsTheCopy(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    let role: StoreRole = primaryAsDefault ? .primary : .secondary
    try instance.client(role).command("SADD", "k", "a")
    #expect(try instance.execute("INCR k").hasPrefix("-WRONGTYPE "))
    #expect(try instance.client(role.other).command("EXISTS", "k") == .integer(0))
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.multiStore.store(role.other).stale.isEmpty)
  }

  @Test("What took no effect on the default store takes none on the other")
  func noEffect() throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "there")
    let lines = ["SET k v NX", "SETNX k v", "MSETNX k v l v", "EXPIRE absent 10", "SET absent v XX"]
    for line in lines { try instance.execute(line) }
    #expect(try instance.primary.command("DBSIZE") == .integer(0))
  }

  @Test("A conditional write is decided by the default store", arguments: ["SET k v NX", "SETNX k v", "MSETNX k v"])
  func decidedOnce(line: String) throws {
    let instance = try Instance()
    try instance.primary.command("SET", "k", "left over")
    let reply = try instance.execute(line)
    #expect(reply == (line.hasPrefix("SET ") ? "+OK|" : ":1|"))
    #expect(try instance.primary.command("GET", "k") == .text("v"))
  }

  @Test("A write that can't be repeated stays on the default store, and its key is stale on the other")
  func notRepeatable() throws {
    let third = try RedisServer(tcp: true)
    let instance = try Instance(primaryAsDefault: true)
    try instance.both("SET k v")
    #expect(try instance.execute("MIGRATE 127.0.0.1 \(try #require(third.port)) k 0 10000") == "+OK|")
    #expect(try third.client().command("GET", "k") == .text("v"))
    #expect(try instance.secondary.command("EXISTS", "k") == .integer(1))
    #expect(instance.count(MultiStoreMetrics.uncopiedWrites, ["command": "migrate"]) == 1)
    #expect(instance.database.secondary.stale.contains("k"))
    #expect(try instance.execute("GET k") == "$-1|", "it is not brought back from the secondary")
  }

  @Test("The other store gets the writes of all clients in the order of the default store's replies")
  func order() throws {
    let instance = try Instance()
    var sinks: [Sink] = []
    // All of them are on their way at once, from four clients, and every one says who was before it.
    for number in 0..<400 {
      sinks.append(instance.begin(number.isMultiple(of: 3) ? "RPUSH k \(number)" : "APPEND s \(number % 10)"))
      if number % 50 == 49 { sinks.append(instance.begin("RPUSH k p\(number)", "INCR n", "RPUSH k q\(number)")) }
    }
    try instance.run { sinks.allSatisfy(\.isDone) }
    for command in [["LRANGE", "k", "0", "-1"], ["GET", "s"], ["GET", "n"]] {
      let replies = try [instance.primary, instance.secondary].map { try $0.command(command) }
      #expect(replies[0] == replies[1] && replies[0] != .null, "\(command)")
    }
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelines, ["command": "pipelined"]) == 8)
  }

  @Test("A failed copy never fails the client, and is counted, logged and remembered", arguments: [false, true])
  func copyRefused(primaryAsDefault: Bool) throws {
    // Under the other policy the new store would take the old one's key.
    let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.readPolicy = .defaultStore }
    let other: StoreRole = primaryAsDefault ? .secondary : .primary
    try instance.client(other).command("SADD", "k", "secret")
    #expect(try instance.execute("INCR k") == ":1|")
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": other.label, "reason": "error_reply"]) == 1)
    let events = instance.events("Redis::CommandError")
    #expect(events.map { $0[EventFields.errorMessage] } == ["Failed to write to the redis \(other.messageName)."])
    #expect(events.first?["message"] == "error reply WRONGTYPE" && events.first?["extra.command_name"] == "incr")
    #expect(instance.multiStore.store(other).stale.count == 1)
    // A write that replaces the key as a whole makes it the same on both again.
    #expect(try instance.execute("SET k 5") == "+OK|")
    #expect(instance.multiStore.store(other).stale.isEmpty)
  }

  @Test("While the other store is down writes go on", arguments: WriteAcknowledgement.allCases)
  func otherStoreDown(acknowledgement: WriteAcknowledgement) throws {
    let instance = try Instance { $0.writeAcknowledgement = acknowledgement }
    try instance.takeDown(.primary)
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(try instance.execute("RPUSH l a") == ":1|")
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "primary", "reason": "unavailable"]) == 2)
    #expect(instance.database.primary?.stale.count == 2)
    let messages = instance.events("Redis::CannotConnectError").compactMap { $0[EventFields.errorMessage] }
    #expect(messages == Array(repeating: "Failed to write to the redis primary_store.", count: 2))
  }

  @Test("A stale key is read from the other store until it was replaced")
  func staleReads() throws {
    let instance = try Instance()
    try instance.both("SET k 1")
    try instance.primary.command("DEL", "k")
    try instance.primary.command("SADD", "k", "a")
    try instance.execute("INCR k")
    try instance.primary.command("DEL", "k")
    try instance.primary.command("SET", "k", "stale")
    #expect(try instance.execute("GET k") == "$1|2|", "the primary's answer can't be trusted")
    #expect(try instance.execute("MGET k x") == "*2|$1|2|$-1|")
    #expect(instance.count(MultiStoreMetrics.staleReads, ["store": "primary"]) == 2)
    try instance.execute("DEL k")
    #expect(try instance.execute("GET k") == "$-1|")
    #expect(instance.count(MultiStoreMetrics.staleReads, ["store": "primary"]) == 2)
  }

  @Test("A key that went stale on the secondary is not brought back from there")
  func staleSecondary() throws {
    let instance = try Instance(primaryAsDefault: true) {
      $0.otherStoreTimeout = .seconds(1)
    }
    try instance.both("MSET k v l v")
    let client = instance.secondary
    try client.command("SET", "m", "only here")
    instance.secondaryServer.pause()
    let deletion = instance.begin("DEL k")
    try instance.run { deletion.isDone && !instance.database.secondary.isReady }
    instance.secondaryServer.resume()
    try instance.run { instance.database.secondary.ordinary.takesCommands }
    try client.command("SET", "k", "back from the dead")
    #expect(try instance.execute("GET k") == "$-1|")
    #expect(try instance.execute("MGET k l m") == "*3|$-1|$1|v|$9|only here|")
    #expect(try instance.execute("EXISTS k") == ":0|")
    #expect(instance.count(MultiStoreMetrics.staleReads, ["store": "secondary"]) == 2)
  }

  @Test("When FLUSHALL fails on a store nothing that it says is trusted", arguments: ["FLUSHALL", "FLUSHDB"])
  func failedFlush(line: String) throws {
    let instance = try Instance()
    try instance.both("SET k v")
    try instance.primary.command("ACL", "SETUSER", "default", "-flushall", "-flushdb")
    #expect(try instance.execute(line) == "+OK|")
    #expect(try instance.execute("GET k") == "$-1|", "the primary still has what was to be gone")
    try instance.primary.command("ACL", "SETUSER", "default", "+@all")
    #expect(try instance.execute(line) == "+OK|")
    #expect(instance.database.primary?.stale.isEmpty == true)
  }

  @Test("A write that took no effect leaves a stale key stale", arguments: ["SET k v NX", "SETNX k v", "MSETNX k v"])
  func noEffectOnStaleKey(line: String) throws {
    let instance = try Instance()
    try instance.both("SET k old")
    instance.database.primary?.stale.insert("k")
    try instance.execute(line)
    #expect(instance.database.primary?.stale.count == 1)
    try instance.execute("PING", line)
    #expect(instance.database.primary?.stale.count == 1)
    try instance.execute("SET k v XX")
    #expect(instance.database.primary?.stale.isEmpty == true)
  }

  @Test("More stale keys than are remembered make all of them stale, though some heal")
  func staleOverflow() throws {
    let instance = try Instance {
      $0.otherStoreTimeout = .seconds(1)
      $0.staleKeyLimit = 2
      $0.keysPerSecond = 1000
    }
    try instance.both("SET other v")
    instance.primaryServer.pause()
    let writes = (0..<3).map { instance.begin("SET k\($0) v") }
    try instance.run { writes.allSatisfy(\.isDone) && instance.database.primary?.isReady == false }
    instance.primaryServer.resume()
    #expect(try instance.execute("GET other") == "$1|v|")
    #expect(instance.count(MultiStoreMetrics.staleReads, ["store": "primary"]) == 1)
    try instance.run { instance.database.primary?.stale.count == 0 }
    #expect(instance.database.primary?.stale.isEmpty == false)
  }

  @Test("A default store that is down fails the write, and the other one hears nothing", arguments: [false, true])
  func defaultStoreDown(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    let role: StoreRole = primaryAsDefault ? .primary : .secondary
    try instance.takeDown(role)
    let reply = try instance.execute("SET k v")
    #expect(reply.hasPrefix("-ERR MultiStore: \(role.label) store: not connected: "))
    #expect(try instance.client(role.other).command("EXISTS", "k") == .integer(0))
    #expect(instance.multiStore.store(role.other).stale.isEmpty, "it was never sent")
  }

  @Test("A write whose outcome on the default store is unknown leaves its key stale on the other")
  func defaultStoreLost() throws {
    let instance = try Instance(commandTimeout: .seconds(1))
    instance.secondaryServer.pause()
    defer { instance.secondaryServer.resume() }
    #expect(try instance.execute("SET k v") == "-ERR MultiStore: secondary store: no reply within the command timeout|")
    #expect(instance.database.primary?.stale.contains("k") == true)
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "primary", "reason": "default_unknown"]) == 1)
  }

  @Test("A copy that is still on its way leaves a key stale that a later write has made so")
  func earlierCopy() throws {
    let instance = try Instance { $0.writeAcknowledgement = .defaultStore }
    let (primary, secondary) = (try #require(instance.database.primary), instance.database.secondary)
    instance.primaryServer.pause()
    let first = instance.begin("SET k 1")
    try instance.run { first.isDone && primary.ordinary.inFlightCount == 1 }
    instance.secondaryServer.pause()
    let second = instance.begin("SET k 2")
    try instance.run { secondary.ordinary.inFlightCount == 1 && secondary.ordinary.queuedBytes == 0 }
    instance.secondaryServer.kill()
    try instance.run { second.isDone }
    #expect(primary.stale.contains("k"))
    instance.primaryServer.resume()
    try instance.run { primary.ordinary.inFlightCount == 0 }
    #expect(try instance.primary.command("GET", "k") == .text("1"))
    #expect(primary.stale.contains("k"), "what the default store has is not known")
  }

  @Test("A change of the flags waits for a script as for any write")
  func script() throws {
    let instance = try Instance()
    let isolated = instance.database.secondary.isolated
    try instance.run { isolated.isReady }
    let sink = instance.begin("EVAL return(redis.call('set',KEYS[1],'v')) 1 k", over: isolated)
    #expect(instance.multiStore.instance.routingState.dualExecutions == 1)
    try instance.run { sink.isDone }
    #expect(instance.multiStore.instance.routingState.dualExecutions == 0)
    #expect(try instance.primary.command("GET", "k") == .text("v"))
  }

  @Test("The client waits for both stores, or for the default store alone", arguments: WriteAcknowledgement.allCases)
  func acknowledgement(_ acknowledgement: WriteAcknowledgement) throws {
    let instance = try Instance { $0.writeAcknowledgement = acknowledgement }
    instance.primaryServer.pause()
    let sink = instance.begin("SET k v")
    let isAnsweredEarly = acknowledgement == .defaultStore
    let primary = try #require(instance.database.primary)
    try instance.run { sink.isDone || primary.ordinary.inFlightCount == 1 }
    #expect(sink.isDone == isAnsweredEarly)
    instance.primaryServer.resume()
    try instance.run { sink.isDone && primary.ordinary.inFlightCount == 0 }
    #expect(sink.text == "+OK|")
    #expect(try instance.primary.command("GET", "k") == .text("v"))
  }
}
