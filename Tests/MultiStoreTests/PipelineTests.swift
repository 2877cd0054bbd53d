internal import EventLoop
internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Pipelines and transactions")
struct PipelineTests {
  @Test("Both stores execute the whole, and the default store's replies are the client's", arguments: [false, true])
  func both(primaryAsDefault: Bool) throws {
    for acknowledgement in WriteAcknowledgement.allCases {
      for (kind, header) in [(BatchKind.pipelined, ""), (.multi, "*4|")] {
        let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.writeAcknowledgement = acknowledgement }
        let reply = try instance.execute("SET k 1 EX 100", "INCR k", "GET k", "HSET h f v", as: kind)
        #expect(reply == "\(header)+OK|:2|$1|2|:1|")
        for client in [instance.primary, instance.secondary] {
          #expect(try client.command("MGET", "k") == .array([.text("2")]))
          #expect(try client.command("HGET", "h", "f") == .text("v"))
        }
        let times = try [instance.primary, instance.secondary].map { try $0.command("PEXPIRETIME", "k") }
        #expect(abs((times[0].integer ?? 0) - (times[1].integer ?? .min)) < 10_000)
        #expect(instance.count(MultiStoreMetrics.pipelines, ["command": kind.label]) == 1)
        #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
        #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
      }
    }
  }

  /// In the third state, of keys of which one is outdated on the old store, and another one only there.
  @Test(arguments: [BatchKind.pipelined, .multi])
  func `MGET finds what only the old store has beside a key that is stale there`(kind: BatchKind) throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.primary.command("SET", "a", "new")
    try instance.secondary.command("MSET", "a", "old", "b", "only", "c", "stale")
    instance.database.secondary.stale.insert("a")
    instance.database.secondary.stale.insert("c")
    let reply = try instance.execute("MGET a b c d", "SET n 1", as: kind)
    #expect(reply == (kind == .multi ? "*2|" : "") + "*4|$3|new|$4|only|$-1|$-1|+OK|")
    #expect(try instance.execute("MGET a b c d") == "*4|$3|new|$4|only|$-1|$-1|")
  }

  @Test("With dual writes off the default store alone executes it", arguments: [false, true])
  func single(primaryAsDefault: Bool) throws {
    let instance = try Instance(dual: false, primaryAsDefault: primaryAsDefault)
    #expect(try instance.execute("SET k v", "GET k") == "+OK|$1|v|")
    #expect(try instance.execute("INCR n", "GET absent", as: .multi) == "*2|:1|$-1|")
    let other = primaryAsDefault ? instance.secondary : instance.primary
    #expect(try other.command("DBSIZE") == .integer(0))
    #expect(instance.count(MultiStoreMetrics.pipelines) == 0)
  }

  @Test(
    "A difference is counted and logged with the first element that differs",
    arguments: [BatchKind.pipelined, .multi]
  )
  func difference(kind: BatchKind) throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.primary.command("MSET", "a", "1", "b", "secret", "c", "1")
    try instance.secondary.command("MSET", "a", "1", "b", "other", "c", "9")
    let header = kind == .multi ? "*3|" : ""
    #expect(try instance.execute("GET a", "GET b", "INCR c", as: kind) == header + "$1|1|$6|secret|:2|")
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": kind.label]) == 1)
    let events = instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError")
    let event = try #require(events.first)
    #expect(events.count == 1 && event["extra.command_name"] == kind.label)
    #expect(event["extra.first_differing_index"] == "1" && event["extra.first_differing_command"] == "get")
    #expect(event["extra.differing_elements"] == "2")
    let message = try #require(event["message"])
    let expected =
      /Pipelined .* differ between them\. Result from the primary: string of 6 bytes .*: string of 5 bytes .*/
    #expect(message.wholeMatch(of: expected) != nil, "\(message)")
    #expect(!"\(event)".contains("secret"))
  }

  @Test("Values are in the event when they are asked for, each with its store", arguments: [false, true])
  func differenceWithValues(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault) { $0.logValues = true }
    try instance.primary.command("SET", "k", "new")
    try instance.secondary.command("SET", "k", "old")
    try instance.execute("GET k", "GET k")
    let message = instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError").first?["message"] ?? ""
    #expect(message.hasSuffix("Result from the primary: \"new\". Result from the secondary: \"old\"."), "\(message)")
  }

  @Test("The comparison does not cry wolf, unless plain equality is asked for", arguments: ReplyComparison.allCases)
  func comparison(_ comparison: ReplyComparison) throws {
    let instance = try Instance { $0.comparison = comparison }
    let members = (0..<300).map { "m\($0)" }
    try instance.primary.command(["SADD", "s"] + members)
    try instance.secondary.command(["SADD", "s"] + members.reversed())
    let expiry = try #require(try instance.primary.command("TIME").elements?.first?.string.flatMap { Int($0) }) + 100
    try instance.primary.command("SET", "k", "v", "PXAT", "\(expiry * 1000 + 500)")
    try instance.secondary.command("SET", "k", "v", "PXAT", "\(expiry * 1000)")
    // Times to live may differ by a second. Where the stores were asked half a second apart they say nothing.
    try eventually("the pipeline is quick") {
      let before = try #require(instance.count(MultiStoreMetrics.pipelinedDiff))
      let start = ContinuousClock.now
      try instance.execute("SMEMBERS s", "PTTL k", "OBJECT IDLETIME k")
      guard ContinuousClock.now - start < .milliseconds(500) else { return false }
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == before + (comparison == .exact ? 1 : 0))
      return true
    }
  }

  @Test(
    "Under the fallback policy a missed read is answered by the other store",
    arguments: [BatchKind.pipelined, .multi]
  )
  func substitution(kind: BatchKind) throws {
    for acknowledgement in WriteAcknowledgement.allCases {
      let instance = try Instance(primaryAsDefault: true) { $0.writeAcknowledgement = acknowledgement }
      try instance.both("SET both 1")
      try instance.primary.command("HSET", "h", "f", "new")
      try instance.secondary.command("MSET", "k", "old", "l", "older")
      try instance.secondary.command("HSET", "h", "f", "old", "g", "old")
      let header = kind == .multi ? "*6|" : ""
      #expect(
        try instance.execute("GET k", "GET both", "HMGET h f g x", "GET absent", "EXISTS l", "SET n 1", as: kind)
          == header + "$3|old|$1|1|*3|$3|new|$3|old|$-1|$-1|:1|+OK|"
      )
      #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "get"]) == 1)
      #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "hmget"]) == 1)
      #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "exists"]) == 1)
      #expect(instance.count(MultiStoreMetrics.primaryReads) == 5)
      #expect(instance.count(MultiStoreMetrics.fallbackReads, ["reason": "miss"]) == 4)
      #expect(instance.count(MultiStoreMetrics.trueMisses) == 1)
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": kind.label]) == 1)
    }
  }

  @Test("What the secondary lacks is filled from the primary, but that is no fallback read")
  func substitutionFromPrimary() throws {
    let instance = try Instance()
    try instance.primary.command("SET", "k", "new")
    #expect(try instance.execute("GET k", "GET absent") == "$3|new|$-1|")
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
    #expect(instance.count(MultiStoreMetrics.primaryReads) == 0)
    #expect(instance.count(MultiStoreMetrics.trueMisses) == 0)
  }

  @Test("Nothing is substituted under the other policy, nor from a key that is stale")
  func noSubstitution() throws {
    let instance = try Instance(primaryAsDefault: true) { $0.readPolicy = .defaultStore }
    try instance.secondary.command("SET", "k", "old")
    #expect(try instance.execute("GET k", "GET k") == "$-1|$-1|")
    let fallback = try Instance(primaryAsDefault: true)
    try fallback.secondary.command("SET", "k", "old")
    fallback.database.secondary.stale.insert("k")
    #expect(try fallback.execute("GET k", "GET k") == "$-1|$-1|")
  }

  @Test("A write that the default store refuses, or that had no effect, is not copied")
  func notCopied() throws {
    let instance = try Instance()
    try instance.secondary.command("SET", "k", "text")
    try instance.primary.command("SET", "k", "5")
    let reply = try instance.execute("INCR k", "SET k v NX", "SET l v", "SETNX l w")
    #expect(reply == "-ERR value is not an integer or out of range|$-1|+OK|:0|")
    #expect(try instance.primary.command("MGET", "k", "l") == .array([.text("5"), .text("v")]))
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test(
    "What chance decided on the default store is what the other one gets",
    arguments: [BatchKind.pipelined, .multi]
  )
  func chance(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.both("SADD s a b c d e f g h")
    try instance.execute("SPOP s 3", "SET k v", "SPOP s", as: kind)
    let left = try [instance.primary, instance.secondary].map { Set(try $0.command("SMEMBERS", "s").elements ?? []) }
    #expect(left[0] == left[1] && left[0].count == 4)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test("A transaction that the default store refuses is not run on the other store")
  func refused() throws {
    let instance = try Instance()
    let reply = try instance.execute("SET k v", "NOSUCHCOMMAND x", as: .multi)
    #expect(reply.hasPrefix("-EXECABORT "))
    #expect(try instance.secondary.command("EXISTS", "k") == .integer(0))
    #expect(try instance.primary.command("EXISTS", "k") == .integer(0))
    #expect(instance.count(MultiStoreMetrics.pipelines) == 0)
  }

  @Test("A transaction that a WATCH aborted is not run on the other store, and its nil is that of EXEC")
  func aborted() throws {
    let instance = try Instance()
    let connection = try #require(instance.database.secondary.openDedicated())
    let watching = Sink()
    let watch = instance.multiStore.makeBatch()
    watch.append(arguments: words("WATCH k").map { Array($0.utf8) })
    let off = Routing(flags: FlagState(), canUsePrimary: true, readPolicy: .fallback)
    instance.multiStore.execute(watch, as: .single, routing: off, over: connection, for: watching)
    try instance.run { watching.isDone }
    #expect(watching.text == "+OK|")
    try instance.secondary.command("SET", "k", "changed")
    let sink = instance.begin("SET k v", "SET l v", as: .multi, over: connection)
    try instance.run { sink.isDone }
    #expect(sink.text == "*-1|")
    #expect(try instance.primary.command("DBSIZE") == .integer(0))
    let again = instance.begin("SET k v", "SET l v", as: .multi, over: connection)
    try instance.run { again.isDone }
    #expect(again.text == "*2|+OK|+OK|")
    #expect(try instance.primary.command("DBSIZE") == .integer(2))
    instance.database.secondary.closeDedicated(connection)
  }

  @Test("An error inside of a transaction is one of its replies")
  func errorInside() throws {
    let instance = try Instance()
    try instance.both("SADD s a")
    let reply = try instance.execute("SET k v", "INCR s", "GET k", as: .multi)
    #expect(reply == "*3|+OK|-WRONGTYPE Operation against a key holding the wrong kind of value|$1|v|")
    #expect(try instance.primary.command("GET", "k") == .text("v"))
  }

  @Test("An other store that is down is a failed pipeline and no difference", arguments: [BatchKind.pipelined, .multi])
  func otherStoreDown(kind: BatchKind) throws {
    for acknowledgement in WriteAcknowledgement.allCases {
      let instance = try Instance { $0.writeAcknowledgement = acknowledgement }
      try instance.takeDown(.primary)
      let header = kind == .multi ? "*3|" : ""
      #expect(try instance.execute("SET k v", "GET absent", "DEL l", as: kind) == header + "+OK|$-1|:0|")
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
      #expect(instance.count(MultiStoreMetrics.pipelines) == 0)
      #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "primary", "reason": "unavailable"]) == 2)
      let stale = try #require(instance.database.primary).stale
      #expect(stale.count == 2 && !stale.contains("absent"))
      let messages = instance.events("Redis::CannotConnectError").map { $0[EventFields.errorMessage] }
      #expect(messages == ["Failed to execute pipeline on the redis primary_store."])
    }
  }

  @Test(
    "A copy that the other store refuses leaves its key stale; the others are not",
    arguments: [BatchKind.pipelined, .multi]
  )
  func copyRefused(kind: BatchKind) throws {
    let instance = try Instance()
    try instance.primary.command("SADD", "k", "a")
    try instance.execute("INCR k", "INCR l", as: kind)
    let stale = try #require(instance.database.primary).stale
    #expect(stale.count == 1 && stale.contains("k"))
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "primary", "reason": "error_reply"]) == 1)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0, "a failure of one store is no difference")
    #expect(try instance.primary.command("GET", "l") == .text("1"))
  }

  @Test("A default store that is down fails every command of it", arguments: [false, true])
  func defaultStoreDown(primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault)
    let role: StoreRole = primaryAsDefault ? .primary : .secondary
    try instance.takeDown(role)
    let pipeline = try instance.execute("SET k v", "GET k").split(separator: "|")
    #expect(pipeline.count == 2 && pipeline.allSatisfy { $0.hasPrefix("-ERR MultiStore: \(role.label) store: ") })
    let transaction = try instance.execute("SET k v", "GET k", as: .multi).split(separator: "|")
    #expect(transaction.count == 1 && transaction[0].hasPrefix("-ERR MultiStore: \(role.label) store: "))
    #expect(try instance.client(role.other).command("DBSIZE") == .integer(0))
    #expect(instance.multiStore.store(role.other).stale.isEmpty)
  }

  @Test(
    "When nobody knows what the default store executed, the keys are stale on the other",
    arguments: [BatchKind.pipelined, .multi]
  )
  func defaultStoreLost(kind: BatchKind) throws {
    let instance = try Instance(commandTimeout: .seconds(1))
    instance.secondaryServer.pause()
    defer { instance.secondaryServer.resume() }
    let reply = try instance.execute("SET k v", "GET l", "DEL m", as: kind)
    #expect(reply.split(separator: "|").count == (kind == .multi ? 1 : 3) && reply.hasPrefix("-ERR MultiStore: "))
    #expect(instance.database.primary?.stale.count == 2)
  }

  @Test("A pipeline that a store has no room for is refused as a whole", arguments: [false, true])
  func noRoom(isOnDefaultStore: Bool) throws {
    let instance = try Instance { configuration in
      if isOnDefaultStore {
        configuration.secondary.limits.maxQueuedCommands = 3
      } else {
        configuration.primary?.limits.maxQueuedCommands = 3
      }
    }
    let replies = try instance.execute("SET k v", "SET l v", "GET absent")
    let role: StoreRole = isOnDefaultStore ? .secondary : .primary
    if isOnDefaultStore {
      #expect(replies.split(separator: "|").count == 3)
      #expect(replies.hasPrefix("-ERR MultiStore: secondary store: too much is waiting for the store already"))
      #expect(instance.database.primary?.stale.isEmpty == true)
    } else {
      #expect(replies == "+OK|+OK|$-1|")
      #expect(instance.database.primary?.stale.count == 2)
      #expect(instance.count(MultiStoreMetrics.copyFailures, ["reason": "queue_full"]) == 2)
    }
    #expect(try instance.client(role).command("DBSIZE") == .integer(0))
    // A shorter one still finds its way.
    #expect(try instance.execute("SET m v") == "+OK|")
    #expect(try instance.primary.command("GET", "m") == .text("v"))
  }

  @Test("Large and binary replies come through unchanged")
  func large() throws {
    let instance = try Instance(primaryAsDefault: true)
    let value = String(repeating: "x", count: 200_000)
    try instance.secondary.command("SET", "k", value)
    #expect(try instance.execute("GET k", "GET k") == "$200000|\(value)|$200000|\(value)|")
    let again = try instance.execute("SET l \(value)", "GET l", as: .multi)
    #expect(again == "*2|+OK|$200000|\(value)|")
    #expect(try instance.secondary.command("GET", "l") == .text(value))
  }
}
