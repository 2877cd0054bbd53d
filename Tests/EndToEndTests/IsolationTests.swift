import TestSupport
import Testing

@Suite("Commands that go another way than reads and writes")
struct IsolationTests {
  @Test(arguments: MigrationState.allCases)
  func `replies come in the order of the commands, whichever way each goes`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let script = "return redis.call('GET', KEYS[1])"
    let replies = try client.pipeline([
      ["SET", "k", "1"], ["CONFIG", "GET", "port"], ["INCR", "k"], ["EVAL", script, "1", "k"], ["PING", "a"],
      ["GET", "k"], ["MULTI"], ["INCR", "k"], ["EXEC"], ["BLPOP", "list", "0.01"], ["KEYS", "*"], ["ECHO", "b"],
      ["RPUSH", "list", "x"], ["BLPOP", "list", "1"], ["GET", "k"],
    ])
    #expect(
      replies == [
        .ok, .array([.text("port"), .text("0")]), .integer(2), .text("2"), .text("a"), .text("2"), .ok,
        .simple("QUEUED"), .array([.integer(3)]), .array(nil), .array([.text("k")]), .text("b"), .integer(1),
        .array([.text("list"), .text("x")]), .text("3"),
      ]
    )
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `who blocks holds up nobody`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let waiting = try deployment.client()
    try waiting.send(RESPClient.encode(["BLPOP", "jobs", "0"]) + RESPClient.encode(["GET", "k"]))
    let secondary = try deployment.secondary.client()
    try eventually("it blocks on the default store") {
      try secondary.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    let client = try deployment.client()
    for round in 1...20 { #expect(try client.command("INCR", "n") == .integer(round)) }
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("RPUSH", "jobs", "one") == .integer(1))
    #expect(try waiting.readReplies(2) == [.array([.text("jobs"), .text("one")]), .text("v")])
    // One that leaves while it blocks takes nothing with it.
    let leaver = try deployment.client()
    try leaver.send(RESPClient.encode(["BLPOP", "jobs", "0"]))
    try eventually { try secondary.command("INFO", "clients").string?.contains("blocked_clients:1") == true }
    leaver.close()
    try eventually { try secondary.command("INFO", "clients").string?.contains("blocked_clients:0") == true }
    // The shared connection, the first client's own and a spare one are left.
    try deployment.waitForMetric("multistore_store_connections", ["store": "secondary"], 3)
    #expect(try client.command("RPUSH", "jobs", "two") == .integer(1))
    #expect(try client.command("LLEN", "jobs") == .integer(1))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a reply too deep for hiredis costs the command that asked for it, and no other`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let traffic = Threads(2) { thread in
      let client = try deployment.client()
      for round in 1...300 {
        guard try client.command("INCR", "n\(thread)") == .integer(round) else {
          throw TestSupportError(.malformed, "another client's reply broke an INCR")
        }
      }
    }
    let client = try deployment.client()
    for round in 0..<3 {
      #expect(try client.command("COMMAND", "DOCS", "GET").elements?.count == 2)
      let deep = try client.command("EVAL", "return {{{{{{{{{{\(round)}}}}}}}}}}", "0")
      #expect(deep.errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true, "\(deep)")
    }
    #expect(try client.command("SET", "k", "v") == .ok)
    try traffic.join()
    try eventually("scripts are served again") { try client.command("EVAL", "return 1", "0") == .integer(1) }
  }

  @Test func `what would change a connection that many share is refused`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    for command in [
      ["REPLCONF"], ["SYNC"], ["CLIENT", "TRACKING", "ON"],
    ] {
      #expect(try client.command(command).errorText?.hasPrefix("ERR MultiStore: ") == true, "\(command)")
    }
    #expect(try client.command("PUBLISH", "c", "m") == .integer(0))
    #expect(try client.command("SET", "k", "v") == .ok)
  }

  @Test func `what a script changed is on both stores`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "old") == .ok)
    #expect(try client.command("EVAL", "return redis.call('SET', KEYS[1], 'new')", "1", "k") == .ok)
    #expect(try client.command("GET", "k") == .text("new"))
    #expect(try client.pipeline([["GET", "k"], ["STRLEN", "k"]]) == [.text("new"), .integer(3)])
    #expect(try deployment.primary.client().command("GET", "k") == .text("new"))
    #expect(try deployment.metric("multistore_key_copies_total") == 1)
  }
}
