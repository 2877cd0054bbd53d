internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// A kind of data, read by one command: what makes it in the old store, and other data of the kind in the new one.
private struct Family: Sendable {
  let command: String
  let old: String
  let new: String
  let oldReply: String
  let newReply: String
  let missReply: String

  static let all = [
    Family("GET k", "SET k old", "SET k new", "$3|old|", "$3|new|", "$-1|"),
    Family("HGET k f", "HSET k f old", "HSET k f new", "$3|old|", "$3|new|", "$-1|"),
    Family("HGETALL k", "HSET k f old", "HSET k f new", "*2|$1|f|$3|old|", "*2|$1|f|$3|new|", "*0|"),
    Family("SMEMBERS k", "SADD k old", "SADD k new", "*1|$3|old|", "*1|$3|new|", "*0|"),
    Family("LRANGE k 0 -1", "RPUSH k old", "RPUSH k new", "*1|$3|old|", "*1|$3|new|", "*0|"),
    Family("ZSCORE k m", "ZADD k 1 m", "ZADD k 2 m", "$1|1|", "$1|2|", "$-1|"),
    Family("STRLEN k", "SET k four", "SET k three", ":4|", ":5|", ":0|"),
    Family("TYPE k", "SADD k old", "SET k new", "+set|", "+string|", "+none|"),
    Family("GETRANGE k 0 1", "SET k old", "SET k new", "$2|ol|", "$2|ne|", "$0||"),
    Family("MGET k l", "MSET k old l odd", "MSET k new l neo", "*2|$3|old|$3|odd|", "*2|$3|new|$3|neo|", "*2|$-1|$-1|"),
    Family("SSCAN k 0", "SADD k old", "SADD k new", "*2|$1|0|*1|$3|old|", "*2|$1|0|*1|$3|new|", "*2|$1|0|*0|"),
    Family(
      "XREAD STREAMS k 0",
      "XADD k 1-1 f v",
      "XADD k 2-1 f v",
      "*1|*2|$1|k|*1|*2|$3|1-1|*2|$1|f|$1|v|",
      "*1|*2|$1|k|*1|*2|$3|2-1|*2|$1|f|$1|v|",
      "*-1|"
    ),
  ]

  private init(_ command: String, _ old: String, _ new: String, _ oldReply: String, _ newReply: String, _ miss: String)
  {
    self.command = command
    self.old = old
    self.new = new
    self.oldReply = oldReply
    self.newReply = newReply
    missReply = miss
  }

  var label: String { words(command)[0].lowercased() }
}

@Suite("Reads")
struct ReadTests {
  @Test("State and policy decide whose answer it is", arguments: ReadPolicy.allCases, [false, true])
  func states(policy: ReadPolicy, primaryAsDefault: Bool) throws {
    for dual in [false, true] {
      let instance = try Instance(dual: dual, primaryAsDefault: primaryAsDefault) { $0.readPolicy = policy }
      for family in Family.all {
        try instance.primary.command(words(family.new))
        try instance.secondary.command(words(family.old))
        let asksPrimary = dual && policy == .fallback || primaryAsDefault
        #expect(try instance.execute(family.command) == (asksPrimary ? family.newReply : family.oldReply))
        try instance.primary.command("FLUSHALL")
        let onlyOld = try instance.execute(family.command)
        let fallsBack = dual && policy == .fallback
        #expect(onlyOld == (primaryAsDefault && !fallsBack ? family.missReply : family.oldReply), "\(family.command)")
        #expect(
          instance.count(MultiStoreMetrics.readFallback, ["command": family.label, "instance_name": "sessions"])
            == (fallsBack ? 1 : 0)
        )
        try instance.secondary.command("FLUSHALL")
        #expect(try instance.execute(family.command) == family.missReply, "\(family.command)")
      }
      let count = Int64(Family.all.count)
      let isFallback = dual && policy == .fallback
      #expect(instance.count(MultiStoreMetrics.readFallback) == (isFallback ? count : 0))
      #expect(instance.count(MultiStoreMetrics.trueMisses) == (isFallback ? count : 0))
      #expect(instance.count(MultiStoreMetrics.primaryReads) == (isFallback ? 3 * count : 0))
      #expect(instance.count(MultiStoreMetrics.fallbackReads, ["reason": "miss"]) == (isFallback ? 2 * count : 0))
      #expect(instance.count(MultiStoreMetrics.fallbackReads, ["reason": "error"]) == 0)
    }
  }

  @Test("A read that goes to one store leaves the other alone", arguments: [false, true])
  func otherStoreIsLeftAlone(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.readPolicy = .defaultStore }
    let other: StoreRole = primaryAsDefault ? .secondary : .primary
    try instance.client(other).command("CONFIG", "RESETSTAT")
    try instance.both("SET k v")
    #expect(try instance.execute("GET k") == "$1|v|")
    let hits = try instance.client(other).command("INFO", "stats").string ?? ""
    #expect(hits.contains("keyspace_hits:0\r\n"), "the other store was read")
    #expect(instance.count(MultiStoreMetrics.pipelines) == 0)
  }

  @Test("Reads of the whole keyspace go to the default store under either policy", arguments: [false, true])
  func keyspace(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    try instance.primary.command("SET", "new", "1")
    try instance.secondary.command("MSET", "old", "1", "older", "1")
    #expect(try instance.execute("DBSIZE") == (primaryAsDefault ? ":1|" : ":2|"))
    #expect(try instance.execute("KEYS n*") == (primaryAsDefault ? "*1|$3|new|" : "*0|"))
  }

  @Test("A fallback is one event, without keys or values")
  func event() throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "secret-key", "secret-value")
    try instance.execute("GET secret-key")
    try instance.execute("GET absent-everywhere")
    let events = instance.events("Gitlab::Redis::MultiStore::ReadFromPrimaryError")
    let message = "Value not found on the redis primary store. Read from the redis secondary store successful."
    #expect(events.count == 1 && events[0]["message"] == message)
    #expect(events[0]["extra.command_name"] == "get" && events[0]["extra.instance_name"] == "sessions")
    #expect(!"\(events)".contains("secret"))
  }

  @Test("An event has the command when values are asked for")
  func eventWithValues() throws {
    let instance = try Instance { $0.logValues = true }
    try instance.secondary.command("SET", "k", "v")
    try instance.execute("GET k")
    let events = instance.events("Gitlab::Redis::MultiStore::ReadFromPrimaryError")
    #expect(events.first?["extra.command"]?.contains("k") == true)
  }

  @Test("An error of the primary is answered by the secondary, and is a failure and not a fallback")
  func primaryError() throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.primary.command("SADD", "k", "a")
    try instance.secondary.command("SET", "k", "v")
    #expect(try instance.execute("GET k") == "$1|v|")
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
    #expect(instance.count(MultiStoreMetrics.fallbackReads, ["reason": "error"]) == 1)
    let events = instance.events("Redis::CommandError")
    #expect(events.map { $0["extra.multi_store_error_message"] } == ["Failed to read from the redis primary_store."])
    #expect(events.first?["message"] == "error reply WRONGTYPE")
  }

  @Test("An error of both stores is the command's own")
  func errorOfBoth() throws {
    let instance = try Instance()
    try instance.both("SADD k a")
    #expect(try instance.execute("GET k").hasPrefix("-WRONGTYPE "))
    #expect(instance.events("Redis::CommandError").isEmpty)
  }

  @Test("While the primary is down the secondary answers", arguments: [false, true])
  func primaryDown(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    for family in Family.all {
      try instance.secondary.command(words(family.old))
      if family.label == Family.all[0].label { try instance.takeDown(.primary) }
      #expect(try instance.execute(family.command) == family.oldReply, "\(family.command)")
      try instance.secondary.command("FLUSHALL")
      #expect(try instance.execute(family.command) == family.missReply, "\(family.command)")
    }
    #expect(instance.count(MultiStoreMetrics.fallbackReads, ["reason": "error"]) == Int64(2 * Family.all.count))
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
    let events = instance.events("Redis::CannotConnectError")
    #expect(events.count == 2 * Family.all.count)
    #expect(events.allSatisfy { $0[EventFields.errorMessage] == "Failed to read from the redis primary_store." })
  }

  @Test("A primary that stops answering costs a read its deadline and no more")
  func primaryHangs() throws {
    let instance = try Instance(commandTimeout: .seconds(1))
    try instance.secondary.command("SET", "k", "v")
    instance.primaryServer.pause()
    defer { instance.primaryServer.resume() }
    #expect(try instance.execute("GET k") == "$1|v|")
    #expect(instance.events("Redis::TimeoutError").count == 1)
  }

  @Test(
    "Without the secondary a miss is the truth only where the primary is the default store",
    arguments: [false, true]
  )
  func secondaryDown(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    try instance.primary.command("MSET", "k", "v")
    try instance.takeDown(.secondary)
    #expect(try instance.execute("GET k") == "$1|v|", "a hit needs nobody else")
    for (command, miss) in [("GET absent", "$-1|"), ("MGET k absent", "*2|$1|v|$-1|"), ("EXISTS absent", ":0|")] {
      let reply = try instance.execute(command)
      if primaryAsDefault {
        #expect(reply == miss, "\(command)")
      } else {
        #expect(reply.hasPrefix("-ERR MultiStore: secondary store: not connected"), "\(command): \(reply)")
      }
    }
  }

  @Test("Only the nil elements are taken from the secondary")
  func fill() throws {
    let instance = try Instance()
    try instance.primary.command("MSET", "a", "new", "e", "")
    try instance.secondary.command("MSET", "a", "old", "b", "old", "e", "old")
    #expect(try instance.execute("MGET a b c e") == "*4|$3|new|$3|old|$-1|$0||")
    #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "mget"]) == 1)
    #expect(try instance.execute("MGET c d") == "*2|$-1|$-1|")
    #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "mget"]) == 1)
    #expect(instance.count(MultiStoreMetrics.trueMisses) == 1)
    try instance.primary.command("HSET", "h", "f", "new")
    try instance.secondary.command("HSET", "h", "f", "old", "g", "old")
    #expect(try instance.execute("HMGET h f g x") == "*3|$3|new|$3|old|$-1|")
    try instance.secondary.command("ZADD", "z", "1", "m")
    #expect(try instance.execute("ZMSCORE z m n") == "*2|$1|1|$-1|")
  }

  @Test("A fill that the secondary refuses is an error there, or the primary's own answer", arguments: [false, true])
  func fillRefused(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    try instance.primary.command("HSET", "h", "f", "v")
    try instance.secondary.command("SET", "h", "a string")
    let reply = try instance.execute("HMGET h f g")
    #expect(primaryAsDefault ? reply == "*2|$1|v|$-1|" : reply.hasPrefix("-WRONGTYPE "), "\(reply)")
  }

  @Test("A flip of the flags is in force with the next command")
  func flips() throws {
    let instance = try Instance(dual: false)
    try instance.primary.command("SET", "k", "new")
    try instance.secondary.command("SET", "k", "old")
    let states = [
      (false, false, "old"), (true, false, "new"), (true, true, "new"), (false, true, "new"), (false, false, "old"),
    ]
    for (dual, primaryAsDefault, value) in states {
      instance.multiStore.flags.exchange(FlagState(dualWrite: dual, primaryAsDefault: primaryAsDefault))
      #expect(try instance.execute("GET k") == "$3|\(value)|")
    }
  }
}
