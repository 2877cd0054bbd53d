internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Keys of the default store, and writes that change a part of them.
private let partialWrites = [
  ("SET k 41 EX 100", "INCR k"), ("SET k ab", "APPEND k c"), ("SET k ab", "SETRANGE k 1 x"),
  ("SET k a", "SETBIT k 7 0"),
  ("HSET k f 1 g 2", "HSET k g 3"), ("HSET k f 1", "HINCRBY k f 2"), ("SADD k a b", "SADD k c"),
  ("SADD k a b", "SREM k a"),
  ("RPUSH k a b", "LPUSH k z"), ("RPUSH k a b", "LPOP k"), ("ZADD k 1 a", "ZADD k 2 b"),
  ("ZADD k 1 a 2 b", "ZPOPMIN k"),
  ("SET k a EX 100", "SET k b KEEPTTL"), ("SET k a EX 100", "SET k b XX GET KEEPTTL"),
  ("XADD k 1-1 f v", "XADD k * f w"), ("PFADD k a", "PFADD k b"), ("SADD k a b c", "SPOP k"),
  ("PFADD k a b", "PFDEBUG TODENSE k"),
]

@Suite("Whole keys or none")
struct WholeKeyTests {
  private static let kinds = [BatchKind.single, .pipelined, .multi]

  /// The digests of a key's values on both stores, and whether it expires there.
  private func states(_ instance: Instance, _ key: String = "k") throws -> [[RESPReply]] {
    try [instance.primary, instance.secondary].map { client in
      let isLasting = try client.command("TTL", key).integer ?? -2 < 0
      return [try client.command("DEBUG", "DIGEST-VALUE", key), .integer(isLasting ? 0 : 1)]
    }
  }

  private func execute(_ line: String, as kind: BatchKind, on instance: Instance) throws {
    let reply = try kind == .single ? instance.execute(line) : instance.execute("SET other v", line, as: kind)
    #expect(!reply.hasPrefix("-"), "\(line): \(reply)")
  }

  /// The RESTORE reaches a server that is busy for longer than another command may wait.
  @Test func `a store has time for a large key`() throws {
    let instance = try Instance { $0.otherStoreTimeout = .milliseconds(300) }
    try instance.secondary.command("SETRANGE", "big", "\(64 << 20)", "x")
    // Much less than the store has for this key: the rest is for the RESTORE itself, beside other work.
    try instance.primary.send(RESPClient.encode(["DEBUG", "SLEEP", "0.6"]))
    #expect(try instance.execute("BITOP OR copy big") == ":\((64 << 20) + 1)|")
    #expect(try instance.primary.readReply() == .ok)
    #expect(try instance.primary.command("STRLEN", "copy") == .integer((64 << 20) + 1))
    #expect(instance.multiStore.instance.staleKeyCount(of: .primary) == 0)
    #expect(instance.events("Redis::TimeoutError").isEmpty)
    // Time for one key is not time for the next command. The server is killed at the end of the test.
    try instance.primary.send(RESPClient.encode(["DEBUG", "SLEEP", "30"]))
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(!instance.events("Redis::TimeoutError").isEmpty)
  }

  /// The default store would dump it at each write, and all of its clients would wait.
  @Test func `a large key is not dumped at each write for a store that refuses all keys`() throws {
    let instance = try Instance()
    try instance.secondary.command("SETRANGE", "k", "99999", "x")
    try instance.primary.command("CONFIG", "SET", "maxmemory", "1")
    for number in 1...20 { #expect(try instance.execute("APPEND k x") == ":\(100_000 + number)|") }
    let statistics = try #require(try instance.secondary.command("INFO", "commandstats").string)
    #expect(statistics.contains("cmdstat_dump:calls=1,"), "\(statistics)")
    #expect(instance.multiStore.instance.staleKeyCount(of: .primary) == 1)
    // Once a key was stored, those of clients are copied again.
    try instance.primary.command("CONFIG", "SET", "maxmemory", "0")
    instance.database.primary?.server.keyRefusal = nil
    #expect(try instance.execute("APPEND k x") == ":100021|")
    #expect(try instance.primary.command("STRLEN", "k").integer == 100_021)
    #expect(instance.multiStore.instance.staleKeyCount(of: .primary) == 0)
  }

  @Test func `reads do not wait until a large key is stored`() throws {
    let instance = try Instance()
    let primary = try #require(instance.database.primary)
    try instance.secondary.command("SETRANGE", "big", "\(64 << 20)", "x")
    try instance.secondary.command("SET", "small", "old")
    instance.primaryServer.pause()
    let copying = instance.begin("BITOP OR copy big")
    try instance.run { primary.ordinary.hasLongCommand }
    let reading = instance.begin("GET small")
    try instance.run { reading.isDone }
    #expect(reading.text == "$3|old|")
    #expect(!copying.isDone)
    instance.primaryServer.resume()
    try instance.run { copying.isDone }
    #expect(!primary.ordinary.hasLongCommand)
  }

  @Test("A store that lacks the key gets it whole, one that has it gets the command", arguments: kinds)
  func wholeOrCommand(kind: BatchKind) throws {
    let instance = try Instance()
    for (setup, line) in partialWrites {
      try instance.both("FLUSHALL")
      try instance.secondary.command(words(setup))
      let copies = try #require(instance.count(MultiStoreMetrics.keyCopies))
      try execute(line, as: kind, on: instance)
      let copied = try states(instance)
      #expect(copied[0] == copied[1], "\(line)")
      #expect(instance.count(MultiStoreMetrics.keyCopies) == copies + 1, "\(line)")
      try instance.both("FLUSHALL")
      try instance.both(setup)
      try execute(line, as: kind, on: instance)
      let repeated = try states(instance)
      #expect(repeated[0] == repeated[1], "\(line)")
      #expect(instance.count(MultiStoreMetrics.keyCopies) == copies + 1, "\(line)")
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test("Writes that come while a key is copied are not lost and not doubled")
  func order() throws {
    let instance = try Instance()
    let (primary, secondary) = (try #require(instance.database.primary), instance.database.secondary)
    try instance.secondary.command("MSET", "n", "1000", "m", "1000")
    // The primary is asked whether it has the key, and its answer begins a copy that waits for the secondary.
    instance.primaryServer.pause()
    var sinks = [instance.begin("INCR n")]
    try instance.run { primary.ordinary.inFlightCount == 1 && secondary.ordinary.inFlightCount == 0 }
    instance.secondaryServer.pause()
    instance.primaryServer.resume()
    try instance.run { !primary.keysBeingCopied.isEmpty }
    for number in 0..<199 {
      sinks.append(instance.begin("INCR n"))
      if number.isMultiple(of: 10) { sinks.append(instance.begin("INCR m", "INCR n")) }
      // The others come while these are executed.
      guard number == 99 else { continue }
      instance.secondaryServer.resume()
      try instance.run { sinks[0].isDone }
    }
    try instance.run { sinks.allSatisfy(\.isDone) }
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("MGET", "n", "m") == .array([.text("1220"), .text("1020")]))
    }
  }

  @Test("A store that forgot the guarding script gets whole keys, and the script anew", arguments: kinds)
  func scriptFlushed(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.both("SET k 1")
    try instance.primary.command("SCRIPT", "FLUSH")
    try execute("INCR k", as: kind, on: instance)
    #expect(try instance.primary.command("GET", "k") == .text("2"))
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 1)
    try execute("INCR k", as: kind, on: instance)
    #expect(try instance.primary.command("GET", "k") == .text("3"))
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 1)
  }

  @Test("A command too long for the script is followed by the whole key")
  func tooLong() throws {
    let instance = try Instance()
    try instance.both("SADD k first")
    let members = (0...PresenceGuard.maxArguments).map(String.init).joined(separator: " ")
    #expect(try instance.execute("SADD k \(members)") == ":\(PresenceGuard.maxArguments + 1)|")
    let states = try states(instance)
    #expect(states[0] == states[1] && instance.count(MultiStoreMetrics.keyCopies) == 1)
  }

  @Test("Where RESTORE is refused the key is left absent, stale and counted")
  func restoreRefused() throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "1")
    try instance.primary.command("ACL", "SETUSER", "default", "-restore")
    #expect(try instance.execute("INCR k") == ":2|")
    #expect(try instance.primary.command("EXISTS", "k") == .integer(0))
    #expect(instance.database.primary?.stale.contains("k") == true)
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "primary", "reason": "error_reply"]) == 1)
    #expect(try instance.execute("GET k") == "$1|2|")
    // Once it is possible again the stale key is replaced as a whole.
    try instance.primary.command("ACL", "SETUSER", "default", "+restore")
    #expect(try instance.execute("INCR k") == ":3|")
    #expect(try instance.primary.command("GET", "k") == .text("3"))
    #expect(instance.database.primary?.stale.isEmpty == true)
  }

  @Test("What moves an element copies its second key at most, however long the first one is", arguments: kinds)
  func moves(kind: BatchKind) throws {
    let instance = try Instance()
    for (setup, line, fragment) in [
      ("RPUSH k a b c", "RPOPLPUSH k to", "RPUSH to x"), ("RPUSH k a b c", "LMOVE k to LEFT LEFT", "RPUSH to x"),
      ("SADD k a b c", "SMOVE k to a", "SADD to x"),
    ] {
      for isFragment in [false, true] {
        try instance.both("FLUSHALL")
        try instance.both(setup)
        if isFragment { _ = try instance.secondary.command(fragment.split(separator: " ").map(String.init)) }
        let before = instance.count(MultiStoreMetrics.keyCopies) ?? 0
        try execute(line, as: kind, on: instance)
        for key in ["k", "to"] {
          let states = try states(instance, key)
          #expect(states[0] == states[1], "\(line): \(key)")
        }
        #expect(instance.count(MultiStoreMetrics.keyCopies) == before + 1, "\(line)")
      }
    }
  }

  @Test("A blocking pop waits on the default store alone, and removes the same from the other")
  func blocking() throws {
    let instance = try Instance()
    let connection = try #require(instance.database.secondary.openDedicated())
    try instance.both("RPUSH l x y x")
    let served = try instance.beginBlocking("BRPOP none l 0", over: connection)
    try instance.run { served.isDone }
    #expect(served.text == "*2|$1|l|$1|x|")
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("LRANGE", "l", "0", "-1") == .array([.text("x"), .text("y")]))
    }
    let waiting = try instance.beginBlocking("BLPOP m 0", over: connection)
    try instance.run { connection.inFlightCount == 1 }
    // Nobody else waits for it.
    #expect(try instance.execute("RPUSH m a b") == ":2|")
    try instance.run { waiting.isDone }
    #expect(waiting.text == "*2|$1|m|$1|a|")
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("LRANGE", "m", "0", "-1") == .array([.text("b")]))
    }
    instance.database.secondary.closeDedicated(connection)
  }

  @Test("The script's digest is the one that servers compute")
  func digest() throws {
    let source = try ReplySource()
    let reply = try source.client.command("SCRIPT", "LOAD", PresenceGuard.script)
    #expect(reply == .text(PresenceGuard.digest.description))
  }
}
