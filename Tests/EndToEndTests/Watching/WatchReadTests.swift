import TestSupport
import Testing

@Suite("Reads of a client that watches keys")
struct WatchReadTests {
  /// A read, and what the default store answers.
  private static let reads: [([String], RESPReply)] = [
    (["GET", "k"], .text("default")),
    (["MGET", "k", "only:default", "only:other"], .array([.text("default"), .text("default"), .bulk(nil)])),
    (["GET", "only:other"], .bulk(nil)),
    (["EXISTS", "k", "only:other"], .integer(1)),
    (["TYPE", "only:other"], .simple("none")),
    (["HGETALL", "h"], .array([.text("f"), .text("default")])),
    (["HGET", "h", "f"], .text("default")),
    (["SMEMBERS", "s"], .array([.text("default")])),
    (["SSCAN", "s", "0"], .array([.text("0"), .array([.text("default")])])),
    (["HSCAN", "h", "0"], .array([.text("0"), .array([.text("f"), .text("default")])])),
    (
      ["SCAN", "0", "MATCH", "only:*", "COUNT", "1000"], .array([.text("0"), .array([.text("only:default")])])
    ),
    (["KEYS", "only:*"], .array([.text("only:default")])),
    (["DBSIZE"], .integer(4)),
    (["XREAD", "STREAMS", "x", "0"], .array(nil)),
    (["SORT_RO", "s", "ALPHA"], .array([.text("default")])),
    (["EVAL", "return redis.call('GET', KEYS[1])", "1", "k"], .text("default")),
    (["EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "k"], .text("default")),
  ]

  /// Two stores that differ in all keys.
  private func deployment(_ state: MigrationState, _ policy: String) throws -> Deployment {
    let deployment = try Deployment(state, instance: ["read_policy: \(policy)"])
    let isPrimary = state.primaryIsDefault
    for (store, mark) in [(deployment.primary, isPrimary), (deployment.secondary, !isPrimary)] {
      let mark = mark ? "default" : "other"
      let client = try store.client()
      for command in [
        ["SET", "k", mark], ["SET", "only:\(mark)", mark], ["HSET", "h", "f", mark], ["SADD", "s", mark],
      ] { #expect(try client.command(command).errorText == nil) }
    }
    return deployment
  }

  @Test(arguments: MigrationState.allCases, ["fallback", "default_store"])
  func `come from the default store, one by one and in pipelines`(state: MigrationState, policy: String) throws {
    let deployment = try deployment(state, policy)
    let client = try deployment.client()
    #expect(try client.command("WATCH", "k") == .ok)
    for (command, expected) in Self.reads {
      #expect(try client.command(command) == expected, "\(command)")
    }
    #expect(try client.pipeline(Self.reads.map(\.0)) == Self.reads.map(\.1))
    let replies = try client.pipeline([["GET", "k"], ["SET", "other", "1"], ["GET", "other"], ["GET", "k"]])
    #expect(replies == [.text("default"), .ok, .text("1"), .text("default")])
    #expect(try client.pipeline([["MULTI"], ["SET", "k", "new"], ["EXEC"]]).last == .array([.ok]))
    // The watch is over, and the read policy applies again.
    let expected: RESPReply = state.isDual && policy == "fallback" ? .text("other") : .bulk(nil)
    #expect(try client.command("GET", "only:other") == expected)
    #expect(try deployment.sidecar.metrics().sum("multistore_lost_watches_total") == 0)
  }

  @Test(arguments: MigrationState.allCases)
  func `go over the connection that watches`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let direct = try deployment.defaultStore(state).client()
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("WATCH", "k") == .ok)
    let watching = try connection(whoseLastCommandIs: "watch", direct)
    for (command, name) in [
      (["GET", "k"], "get"), (["MGET", "k"], "mget"), (["SCAN", "0"], "scan"), (["DBSIZE"], "dbsize"),
      (["EVAL", "return 1", "0"], "eval"), (["OBJECT", "ENCODING", "k"], "object|encoding"),
    ] {
      #expect(try client.command(command).errorText == nil)
      #expect(try connection(whoseLastCommandIs: name, direct) == watching)
    }
    // A write goes where all writes go.
    #expect(try client.command("SET", "n", "v") == .ok)
    #expect(try connection(whoseLastCommandIs: "set", direct) != watching)
  }

  private func connection(whoseLastCommandIs name: String, _ client: RESPClient) throws -> Substring? {
    let lines = try client.command("CLIENT", "LIST").string?.split(separator: "\n") ?? []
    let found = lines.filter { $0.contains(" cmd=\(name) ") }
    #expect(found.count == 1, "\(lines)")
    return found.first?.prefix { $0 != " " }
  }

  @Test(arguments: MigrationState.allCases)
  func `conversations are as on a server`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let redis = try RedisServer()
    let conversations = [
      [["WATCH", "a"], ["GET", "a"], ["MULTI"], ["SET", "a", "1"], ["EXEC"], ["GET", "a"]],
      // Also the client's own write is a change.
      [["WATCH", "a"], ["SET", "a", "2"], ["MULTI"], ["SET", "a", "3"], ["EXEC"], ["GET", "a"]],
      [["WATCH", "a"], ["EVAL", "return redis.call('INCR', KEYS[1])", "1", "a"], ["GET", "a"], ["MULTI"], ["EXEC"]],
      [["WATCH", "a"], ["INCR", "b"], ["GET", "b"], ["MULTI"], ["INCR", "b"], ["EXEC"], ["GET", "b"]],
      [["WATCH", "a"], ["SET", "a", "4"], ["UNWATCH"], ["GET", "a"], ["MULTI"], ["INCR", "a"], ["EXEC"]],
      [["WATCH", "a"], ["SET", "a", "4"], ["MULTI"], ["DISCARD"], ["MULTI"], ["INCR", "a"], ["EXEC"]],
      [["WATCH", "a"], ["WATCH", "b"], ["GET", "b"], ["INCR", "b"], ["MULTI"], ["INCR", "a"], ["EXEC"]],
      [["WATCH", "a"], ["SELECT", "0"], ["GET", "a"], ["MULTI"], ["GET", "a"], ["EXEC"]],
      [["WATCH", "a"], ["SET", "a", "5"], ["RESET"], ["MULTI"], ["INCR", "a"], ["EXEC"]],
      [["WATCH", "q"], ["RPUSH", "q", "x"], ["BLPOP", "q", "0"], ["MULTI"], ["EXEC"], ["LLEN", "q"]],
      [["WATCH", "a"], ["BLPOP", "none", "0.01"], ["GET", "a"], ["MULTI"], ["INCR", "a"], ["EXEC"]],
    ]
    for isPipelined in [false, true] {
      for conversation in conversations {
        let (direct, sidecar) = (try redis.client(), try deployment.client())
        let expected: [RESPReply]
        let replies: [RESPReply]
        if isPipelined {
          (expected, replies) = (try direct.pipeline(conversation), try sidecar.pipeline(conversation))
        } else {
          expected = try conversation.map { try direct.command($0) }
          replies = try conversation.map { try sidecar.command($0) }
        }
        #expect(replies == expected, "\(conversation)")
      }
    }
    guard state.isDual else { return }
    let stores = [try deployment.primary.client(), try deployment.secondary.client()]
    for key in ["a", "b"] { #expect(try stores[0].command("GET", key) == stores[1].command("GET", key)) }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `replies that are not wanted stay away`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let large = String(repeating: "v", count: 100_000)
    #expect(try client.command("SET", "k", large) == .ok)
    let replies = try client.pipeline([["WATCH", "k"], ["ECHO", "a"]])
    #expect(replies == [.ok, .text("a")])
    try client.send(
      [
        ["CLIENT", "REPLY", "SKIP"], ["GET", "k"], ["ECHO", "b"], ["CLIENT", "REPLY", "OFF"], ["GET", "k"],
        ["GET", "k"], ["CLIENT", "REPLY", "ON"], ["STRLEN", "k"], ["MULTI"], ["SET", "k", "v"], ["EXEC"],
      ]
      .flatMap { RESPClient.encode($0) }
    )
    let expected: [RESPReply] = [
      .text("b"), .ok, .integer(large.count), .ok, .simple("QUEUED"), .array([.ok]),
    ]
    #expect(try client.readReplies(expected.count) == expected)
  }

  @Test(arguments: MigrationState.allCases)
  func `a client that has sent all and ended is answered`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    #expect(try client.command("XADD", "x", "1-1", "f", "v") == .text("1-1"))
    #expect(try client.command("WATCH", "k") == .ok)
    let direct = deployment.defaultStore(state)
    direct.pause()
    try client.send(RESPClient.encode(["XREAD", "STREAMS", "x", "0"]) + RESPClient.encode(["GET", "none"]))
    client.shutdownWrites()
    // By then the end of the other one was read.
    #expect(try deployment.client().command("PING") == .simple("PONG"))
    direct.resume()
    #expect(try client.readReply().elements?.count == 1)
    #expect(try client.readReply() == .bulk(nil))
    #expect(try client.readUntilClosed() == [])
  }

  @Test func `a cursor of the other store is no use`() throws {
    let deployment = try Deployment(.dual)
    for store in [deployment.primary, deployment.secondary] {
      try store.client().command(["SADD", "s"] + (0..<1000).map { "m\($0)" })
    }
    let client = try deployment.client()
    // Under the fallback policy the first page is the new store's.
    let cursor = try #require(try client.command("SSCAN", "s", "0").elements?.first?.string)
    #expect(cursor != "0")
    #expect(try client.command("WATCH", "s") == .ok)
    #expect(try client.command("SSCAN", "s", cursor).errorText == "ERR invalid cursor")
    var seen: Set<String> = []
    var next = "0"
    repeat {
      let page = try #require(try client.command("SSCAN", "s", next).elements)
      next = page[0].string ?? "0"
      seen.formUnion((page[1].elements ?? []).compactMap(\.string))
    } while next != "0"
    #expect(seen.count == 1000)
  }
}
