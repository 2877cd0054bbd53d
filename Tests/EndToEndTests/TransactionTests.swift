import TestSupport
import Testing

@Suite("What becomes of transactions, over the wire")
struct TransactionTests {
  @Test(arguments: [MigrationState.off, .dual])
  func `one that watches keys is answered with an error too when its store hangs`(state: MigrationState) throws {
    let deployment = try Deployment(state, stores: "command_timeout: 500ms")
    let client = try deployment.client()
    #expect(try client.command("WATCH", "k") == .ok)
    #expect(try client.command("MULTI") == .ok)
    #expect(try client.command("SET", "k", "v") == .simple("QUEUED"))
    deployment.secondary.pause()
    let reply = try client.command("EXEC").errorText ?? ""
    #expect(reply.hasPrefix("ERR MultiStore: secondary store: "))
    deployment.secondary.resume()
    try eventually { try client.command("GET", "k").errorText == nil }
  }

  @Test func `one of more commands than a store may have in its queue is refused as it is queued`() throws {
    let deployment = try Deployment(stores: "max_queued_commands: 1000")
    let client = try deployment.client()
    let replies = try client.pipeline([["MULTI"]] + Array(repeating: ["INCR", "n"], count: 1_001) + [["EXEC"]])
    #expect(replies[1_000] == .simple("QUEUED"))
    #expect(replies[1_001].errorText == "ERR MultiStore: the transaction has more commands than max_queued_commands")
    #expect(replies[1_002].errorText?.hasPrefix("EXECABORT ") == true)
    #expect(try client.command("EXISTS", "n") == .integer(0))
  }

  @Test(arguments: MigrationState.allCases)
  func `mistakes are answered as Redis answers them`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let sidecar = try deployment.client()
    // A server that nobody else uses says what is right.
    let redis = try RedisServer()
    let direct = try redis.client()
    for conversation in [
      [["EXEC"]], [["DISCARD"]], [["MULTI"], ["EXEC"]], [["MULTI"], ["SET", "k", "1"], ["DISCARD"], ["GET", "k"]],
      [["MULTI"], ["MULTI"], ["SET", "k", "1"], ["EXEC"]], [["MULTI"], ["WATCH", "k"], ["INCR", "n"], ["EXEC"]],
      [["MULTI"], ["SET", "k"], ["SET", "k", "1"], ["EXEC"], ["GET", "k"]],
      [["MULTI"], ["SET", "t", "x"], ["LPUSH", "t", "1"], ["SET", "u", "y"], ["EXEC"], ["GET", "u"]],
      [["MULTI"], ["PING"], ["ECHO", "x"], ["EXEC"]],
      [["WATCH", "k"], ["UNWATCH"], ["MULTI"], ["INCR", "m"], ["EXEC"]],
    ] {
      for command in conversation {
        let expected = try direct.command(command)
        let reply = try sidecar.command(command)
        #expect(reply == expected, "\(command) of \(conversation)")
      }
    }
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `what was refused or discarded reaches no store`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    var replies = try client.pipeline([["MULTI"], ["SET", "k", "1"], ["NOSUCHCOMMAND"], ["EXEC"]])
    #expect(replies[2].errorText?.hasPrefix("ERR unknown command") == true)
    #expect(replies[3].errorText?.hasPrefix("EXECABORT") == true)
    replies = try client.pipeline([["MULTI"], ["SET", "k", "1"], ["SET", "k"], ["EXEC"]])
    #expect(replies[3].errorText?.hasPrefix("EXECABORT") == true)
    replies = try client.pipeline([["MULTI"], ["SET", "k", "1"], ["DISCARD"]])
    #expect(replies == [.ok, .simple("QUEUED"), .ok])
    // A client that leaves in the middle takes its transaction along.
    let leaver = try deployment.client()
    _ = try leaver.pipeline([["MULTI"], ["SET", "k", "1"]])
    leaver.close()
    #expect(try client.command("EXISTS", "k") == .integer(0))
    #expect(try deployment.primary.client().command("DBSIZE") == .integer(0))
    #expect(try deployment.secondary.client().command("DBSIZE") == .integer(0))
    // The store refuses it at EXEC: out of memory is told when a command is queued there.
    try deployment.defaultStore(state).client().command("CONFIG", "SET", "maxmemory", "1")
    replies = try client.pipeline([["MULTI"], ["SET", "k", "1"], ["EXEC"]])
    #expect(replies.last?.errorText?.hasPrefix("EXECABORT") == true)
    #expect(try deployment.primary.client().command("DBSIZE") == .integer(0))
    #expect(try deployment.secondary.client().command("DBSIZE") == .integer(0))
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "multi"]) == 0)
  }

  @Test(arguments: MigrationState.allCases)
  func `a watched key that changed makes EXEC nil, and nothing happens on the other store`(state: MigrationState) throws
  {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let rival = try deployment.client()
    #expect(try client.command("WATCH", "k") == .ok)
    #expect(try rival.command("SET", "k", "rival") == .ok)
    #expect(try client.pipeline([["MULTI"], ["SET", "k", "mine"], ["SET", "m", "1"], ["EXEC"]]).last == .array(nil))
    for store in [deployment.primary, deployment.secondary] {
      #expect(try store.client().command("EXISTS", "m") == .integer(0))
      #expect(try store.client().command("GET", "k") != .text("mine"))
    }
    // Undisturbed it happens, and the watch is over.
    #expect(try client.command("WATCH", "k") == .ok)
    #expect(try client.pipeline([["MULTI"], ["SET", "m", "1"], ["EXEC"]]).last == .array([.ok]))
    #expect(try rival.command("SET", "k", "rival again") == .ok)
    #expect(try client.pipeline([["MULTI"], ["SET", "m", "2"], ["EXEC"]]).last == .array([.ok]))
    if state.isDual {
      #expect(try deployment.primary.client().command("GET", "m") == .text("2"))
      #expect(try deployment.secondary.client().command("GET", "m") == .text("2"))
    }
  }

  @Test func `a flip in the middle takes effect with the next transaction, and loses none`() throws {
    let deployment = try Deployment(.off)
    let client = try deployment.client()
    #expect(try client.pipeline([["MULTI"], ["INCR", "n"]]) == [.ok, .simple("QUEUED")])
    try deployment.move(to: .dual)
    #expect(try client.pipeline([["INCR", "n"], ["EXEC"]]).last == .array([.integer(1), .integer(2)]))
    #expect(try client.pipeline([["MULTI"], ["SET", "n", "9"], ["EXEC"]]).last == .array([.ok]))
    #expect(try deployment.primary.client().command("GET", "n") == .text("9"))
    #expect(try deployment.secondary.client().command("GET", "n") == .text("9"))
  }

  @Test func `clients' transactions do not mix`() throws {
    let deployment = try Deployment(.dual)
    try inThreads(4) { thread in
      let client = try deployment.client()
      for round in 0..<40 {
        let value = "\(thread)-\(round)"
        let replies = try client.pipeline([
          ["MULTI"], ["SET", "k", value], ["GET", "k"], ["RPUSH", "l", value], ["EXEC"],
        ])
        guard replies.last?.elements?[1] == .text(value) else {
          throw TestSupportError(.malformed, "another transaction came between: \(replies)")
        }
      }
    }
    let list = try deployment.primary.client().command("LRANGE", "l", "0", "-1")
    #expect(try deployment.secondary.client().command("LRANGE", "l", "0", "-1") == list)
    #expect(list.elements?.count == 160)
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 0)
  }
}
