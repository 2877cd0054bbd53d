import TestSupport
import Testing

@Suite("CLIENT, answered by the sidecar")
struct ClientViewTests {
  @Test func `its words are those of a server`() throws {
    let deployment = try Deployment()
    let redis = try RedisServer()
    let direct = try redis.client()
    let client = try deployment.client()
    for line in [
      "CLIENT", "CLIENT NOSUCH x", "CLIENT ID x", "CLIENT INFO x", "CLIENT SETNAME", "CLIENT SETNAME a b",
      "CLIENT GETNAME", "CLIENT SETNAME me", "CLIENT GETNAME", "CLIENT LIST FOO", "CLIENT LIST TYPE",
      "CLIENT LIST TYPE bogus", "CLIENT LIST TYPE pubsub", "CLIENT LIST TYPE master", "CLIENT LIST TYPE replica",
      "CLIENT LIST ID", "CLIENT LIST ID x", "CLIENT LIST ID 99999", "CLIENT LIST TYPE normal ID 1", "CLIENT KILL",
      "CLIENT KILL 1.2.3.4:5", "CLIENT KILL ID 99999", "CLIENT KILL ID x", "CLIENT KILL ID 0", "CLIENT KILL ID 1 FOO",
      "CLIENT KILL TYPE bogus", "CLIENT KILL TYPE slave", "CLIENT KILL USER nobody", "CLIENT KILL SKIPME maybe",
      "CLIENT KILL USER default SKIPME yes ID 99999", "CLIENT KILL ADDR 1.2.3.4:5", "CLIENT KILL LADDR 1.2.3.4:5",
      "CLIENT KILL FOO bar", "CLIENT NO-EVICT on", "CLIENT NO-EVICT off", "CLIENT NO-EVICT x", "CLIENT REPLY x",
      "CLIENT REPLY ON", "CLIENT PAUSE", "CLIENT PAUSE x", "CLIENT PAUSE -1", "CLIENT PAUSE 1.5", "CLIENT PAUSE 01",
      "CLIENT PAUSE 9223372036854775808", "CLIENT PAUSE 1 foo", "CLIENT PAUSE x foo", "CLIENT pause 1 WRITE ALL",
      "CLIENT PAUSE 1 write", "CLIENT PAUSE 1 ALL", "CLIENT PAUSE 1", "CLIENT PAUSE 0", "CLIENT UNPAUSE x",
      "CLIENT UNPAUSE", "CLIENT unblock 1 ERROR x", "CLIENT UNBLOCK x", "CLIENT UNBLOCK 99999", "CLIENT UNBLOCK 1 foo",
      "CLIENT UNBLOCK 99999 ERROR", "CLIENT UNBLOCK 1 ERROR x", "CLIENT GETREDIR", "CLIENT TRACKINGINFO",
      "CLIENT TRACKING OFF", "CLIENT TRACKING x", "CLIENT TRACKING ON FOO", "CLIENT TRACKING OFF BCAST",
      "CLIENT CACHING yes", "PING a b", "ECHO", "ECHO a", "RESET x", "RESET", "CLIENT GETNAME",
    ] {
      let words = line.split(separator: " ").map(String.init)
      let expected = try direct.command(words)
      #expect(try client.command(words) == expected, "\(line)")
    }
    // What only later servers know.
    #expect(try client.command("CLIENT", "SETINFO", "lib-name", "tester") == .ok)
    #expect(try client.command("CLIENT", "SETINFO", "LIB-VER", "1.2") == .ok)
    #expect(try client.command("CLIENT", "SETINFO", "lib", "x").errorText == "ERR Unrecognized option 'lib'")
    #expect(try client.command("CLIENT", "SETINFO", "lib-ver", "1 2").errorText?.hasPrefix("ERR lib-ver") == true)
    #expect(try client.command("CLIENT", "NO-TOUCH", "on") == .ok)
    #expect(try client.command("CLIENT", "HELP").elements?.isEmpty == false)
    #expect(try client.command("CLIENT", "SETNAME", String(repeating: "x", count: 1025)).errorText != nil)
    let info = try client.command("CLIENT", "INFO").string ?? ""
    #expect(info.hasSuffix(" lib-name=tester lib-ver=1.2\n") && info.contains(" flags=TU "))
    // None of it is a method that is missing.
    #expect(try deployment.metric(MultiStoreNames.methodMissing, ["command": "client"]) == nil)
  }

  @Test func `clients are listed with the fields that a server has, and can be closed`() throws {
    let deployment = try Deployment()
    let redis = try RedisServer()
    let client = try deployment.client()
    let other = try deployment.client()
    #expect(try other.command("CLIENT", "SETNAME", "other") == .ok)
    let otherID = try #require(try other.command("CLIENT", "ID").integer)
    let line = try #require(try client.command("CLIENT", "INFO").string)
    let serverLine = try #require(try redis.client().command("CLIENT", "INFO").string)
    #expect(Array(names(line).prefix(names(serverLine).count)) == names(serverLine))
    let list = try #require(try client.command("CLIENT", "LIST").string)
    let lines = list.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("id=1 ") && lines[0].contains(" cmd=client|list "))
    #expect(lines[1].hasPrefix("id=\(otherID) ") && lines[1].contains(" name=other "))
    #expect(try client.command("CLIENT", "LIST", "TYPE", "NORMAL").string?.split(separator: "\n").count == 2)
    let one = try client.command("CLIENT", "LIST", "ID", "\(otherID)", "777").string
    #expect(one?.split(separator: "\n").count == 1 && one?.contains(" name=other ") == true)
    let address = try #require(lines[1].split(separator: " ").first { $0.hasPrefix("addr=") }?.dropFirst(5))
    #expect(try client.command("CLIENT", "KILL", "ID", "\(otherID)", "ADDR", String(address)) == .integer(1))
    #expect(try other.readUntilClosed() == [])
    try deployment.waitForMetric("multistore_client_connections_closed_total", ["reason": "client_kill"], 1)
    #expect(try client.command("CLIENT", "KILL", "USER", "default") == .integer(0))
    #expect(try client.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no") == .integer(1))
    #expect(try client.readUntilClosed() == [])
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a client chooses which replies it gets`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let redis = try RedisServer()
    let conversations = [
      "CLIENT REPLY SKIP|PING 1|PING 2", "CLIENT REPLY SKIP|SET k 1|GET k", "SET k 2|CLIENT REPLY SKIP|GET k|GET k",
      "GET k|CLIENT REPLY OFF|SET k 3|NOSUCH|GET k|CLIENT REPLY ON|GET k", "CLIENT REPLY SKIP|CLIENT REPLY SKIP|PING a",
      "CLIENT REPLY OFF|CLIENT REPLY SKIP|PING a|CLIENT REPLY ON|PING b", "CLIENT REPLY SKIP|EVAL return{1,2} 0|PING c",
      "CLIENT REPLY OFF|PING a|RESET|PING b", "CLIENT REPLY OFF|MULTI|INCR n|EXEC|CLIENT REPLY ON|GET n",
      "MULTI|INCR n|EXEC|CLIENT REPLY SKIP|MULTI|INCR n|EXEC", "CLIENT REPLY SKIP|CLIENT REPLY ON|PING d",
    ]
    for conversation in conversations {
      let lines = (conversation + "|ECHO end").split(separator: "|")
      let commands = lines.map { $0.split(separator: " ").map(String.init) }
      let expected = try replies(to: commands, of: try redis.client())
      #expect(try replies(to: commands, of: try deployment.client()) == expected, "\(conversation)")
    }
  }

  /// The store's queue is full, so that the command is refused while it is taken from the input.
  @Test func `a client that does not want a reply gets no refusal either`() throws {
    let deployment = try Deployment(.dual, stores: "max_queued_commands: 20, command_timeout: 60s")
    let waiting = try (0..<20).map { _ in try deployment.client() }
    deployment.secondary.pause()
    for client in waiting { try client.send(RESPClient.encode(["INCR", "n"])) }
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 20)
    for command in ["SSCAN k 5", "INCR n", "GET n"] {
      let lines = ["CLIENT REPLY SKIP", command, command, "ECHO end"]
      let client = try deployment.client()
      try client.send(lines.flatMap { RESPClient.encode($0.split(separator: " ").map(String.init)) })
      #expect(try client.readReply().errorText?.contains("limit 20") == true, "\(command)")
      #expect(try client.readReply() == .text("end"), "\(command)")
    }
    deployment.secondary.resume()
  }

  @Test(arguments: MigrationState.allCases)
  func `a client that waits is unblocked by its number`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let (client, waiting) = (try deployment.client(), try deployment.client())
    let id = try #require(try waiting.command("CLIENT", "ID").integer)
    #expect(try client.command("CLIENT", "UNBLOCK", "\(id)") == .integer(0))
    for (reason, expected) in [([], "nil"), (["TIMEOUT"], "nil"), (["ERROR"], "-UNBLOCKED")] {
      try waiting.send(RESPClient.encode(["BLPOP", "jobs", "0"]))
      try eventually("it is shown as waiting") {
        try client.command("CLIENT", "LIST", "ID", "\(id)").string?.contains(" flags=b") == true
      }
      // Its store may not have got the command yet, or not even its connection.
      #expect(try client.command(["CLIENT", "UNBLOCK", "\(id)"] + reason) == .integer(1))
      #expect(try "\(waiting.readReply())".hasPrefix(expected))
    }
    #expect(try waiting.command("PING") == .simple("PONG"))
    #expect(try client.command("RPUSH", "jobs", "x") == .integer(1))
    #expect(try waiting.command("BLPOP", "jobs", "1") == .array([.text("jobs"), .text("x")]))
  }

  @Test func `what a store would do to everybody is refused with its reason`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    for (line, reason) in [
      ("REPLCONF", "connection"), ("SYNC", "connection"), ("PSYNC ? -1", "connection"), ("REPLICAOF h 1", "role"),
      ("SLAVEOF h 1", "role"), ("FAILOVER", "role"), ("SHUTDOWN NOSAVE", "end the store"), ("READONLY", "connection"),
      ("READWRITE", "connection"), ("ASKING", "connection"), ("SCRIPT DEBUG YES", "connection"),
      ("CLIENT TRACKING ON", "tracked"), ("DEBUG SLEEP 10", "wait"),
    ] {
      let reply = try client.command(line.split(separator: " ").map(String.init))
      #expect(reply.errorText?.hasPrefix("ERR MultiStore: ") == true, "\(line): \(reply)")
      #expect(reply.errorText?.contains(reason) == true, "\(line): \(reply)")
    }
    #expect(try client.command("DEBUG", "JMAP").errorText?.hasPrefix("ERR MultiStore") != true)
    #expect(try client.command("SET", "k", "v") == .ok)
  }

  /// Everything that comes until the reply to the last command, an ECHO of `end`.
  private func replies(to commands: [[String]], of client: RESPClient) throws -> [RESPReply] {
    try client.send(commands.flatMap { RESPClient.encode($0) })
    var replies: [RESPReply] = []
    repeat { replies.append(try client.readReply()) } while replies.last != .text("end")
    return replies
  }

  /// The names of a line's fields.
  private func names(_ line: String) -> [String] {
    line.split(separator: " ").map { String($0.prefix { $0 != "=" }) }
  }
}
