import TestSupport
import Testing

/// Bytes through the sidecar, held against those of a server that is asked the same. Which shape each command's reply
/// has is the business of another suite; here it is where replies come from.
@Suite("Clients that speak RESP3")
struct ProtocolVersionTests {
  private static let conversations = [
    // Changing the version, in the middle of everything.
    RawConversation("GET none", "HELLO 3", "GET none", "HELLO", "HELLO 2", "GET none", "HELLO 3", "MGET none none"),
    RawConversation("HELLO 3", "GET none", "RESET", "GET none", "HELLO", "HELLO 3 SETNAME me", "CLIENT GETNAME"),
    RawConversation("HELLO 4", "HELLO 1", "HELLO x", "HELLO 3 FOO", "GET none", "HELLO 3 SETNAME", "GET none"),
    RawConversation("HELLO 3", "HELLO 4", "GET none", "HELLO 2 FOO", "GET none", "HELLO 3 AUTH nobody x", "GET none"),
    RawConversation("HELLO 3 AUTH nobody x", "GET none", "HELLO 3 AUTH default x SETNAME n", "GET none"),
    // Transactions.
    RawConversation(
      "HELLO 3",
      "MULTI",
      "SET a 1",
      "GET none",
      "MGET none a",
      "LPUSH list x",
      "LRANGE list 0 -1",
      "LPOP none",
      "EXEC",
      "EXEC",
      "MULTI",
      "EXEC",
      "MULTI",
      "GET none",
      "DISCARD",
      "GET none"
    ),
    RawConversation(
      "HELLO 3",
      "MULTI",
      "NOSUCH",
      "GET none",
      "EXEC",
      "GET none",
      "MULTI",
      "INCR list",
      "GET x",
      "EXEC"
    ),
    RawConversation(
      "HELLO 3",
      "WATCH w",
      "GET none",
      "SET w 1",
      "MULTI",
      "GET none",
      "EXEC",
      "WATCH w",
      "MULTI",
      "GET none",
      "EXEC"
    ),
    // Blocking commands, scripts, errors.
    RawConversation(
      "HELLO 3",
      "BLPOP none 0.05",
      "RPUSH q 1",
      "BLPOP none q 1",
      "BLMOVE none other LEFT RIGHT 0.05",
      "GET none"
    ),
    RawConversation([
      ["HELLO", "3"], ["EVAL", "return {false, 1, {false, 'a'}}", "0"],
      ["EVAL", "return redis.call('GET', KEYS[1])", "1", "none"], ["EVAL", "return nil", "0"], ["GET", "none"],
      ["EVAL", "return redis.error_reply('MY error')", "0"], ["EVAL", "return {ok='fine'}", "0"], ["GET", "none"],
    ]),
    RawConversation("HELLO 3", "SET s x", "INCR s", "LPUSH s x", "NOSUCH", "GET", "GET none", "HGET none f", "GET s"),
    // Replies that are not wanted.
    RawConversation(
      "HELLO 3",
      "CLIENT REPLY SKIP",
      "GET none",
      "GET none",
      "CLIENT REPLY OFF",
      "GET none",
      "MGET none none",
      "CLIENT REPLY ON",
      "GET none",
      "CLIENT REPLY SKIP",
      "MULTI",
      "GET none",
      "EXEC"
    ),
    // Subscriptions.
    RawConversation(
      "HELLO 3",
      "SUBSCRIBE a b a",
      "PSUBSCRIBE p*",
      "SSUBSCRIBE s",
      "PING",
      "PING hello",
      "GET none",
      "UNSUBSCRIBE a",
      "UNSUBSCRIBE",
      "PUNSUBSCRIBE",
      "SUNSUBSCRIBE",
      "GET none",
      "UNSUBSCRIBE",
      "UNSUBSCRIBE x y",
      "SUNSUBSCRIBE"
    ),
    RawConversation("SUBSCRIBE a", "HELLO 3", "RESET", "HELLO 3", "GET none", "SUBSCRIBE", "PSUBSCRIBE"),
    RawConversation("HELLO 3", "SUBSCRIBE a", "HELLO 2", "GET none", "PING", "UNSUBSCRIBE", "GET none"),
    RawConversation("HELLO 3", "SUBSCRIBE a", "MULTI", "GET none", "EXEC", "RESET", "GET none", "UNSUBSCRIBE a"),
    RawConversation(
      "HELLO 3",
      "SUBSCRIBE a",
      "CLIENT REPLY OFF",
      "SUBSCRIBE b",
      "GET none",
      "UNSUBSCRIBE a",
      "CLIENT REPLY ON",
      "GET none",
      "SELECT 1",
      "GET none",
      "BLPOP none 0.05",
      "WATCH w",
      "MULTI",
      "GET none",
      "EXEC"
    ),
  ]

  @Test(arguments: MigrationState.allCases)
  func `get the bytes that a server sends`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let reference = try RedisServer()
    for conversation in Self.conversations {
      let wanted = try conversation.answers(to: reference.client())
      let answers = try conversation.answers(to: deployment.client())
      #expect(answers == wanted, "\(conversation.commands)")
      #expect(wanted.hasSuffix("+OK\r\n"))
    }
  }

  /// Large replies are written past the output, or before the rest of their pipeline is done.
  @Test(arguments: MigrationState.allCases)
  func `get long pipelines and large replies upgraded`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let reference = try RedisServer()
    let large = String(repeating: "x", count: 100_000)
    var commands = [["HELLO", "3"], ["SET", "large", large], ["RPUSH", "many"] + (0..<200).map { "element \($0)" }]
    for round in 0..<400 {
      commands += [
        ["GET", "none"], ["SET", "key:\(round)", "v"], ["MGET", "none", "key:\(round)"], ["GET", "key:1"],
      ]
      if round.isMultiple(of: 40) {
        commands += [["GET", "large"], ["GET", "none"], ["MGET", "none", "large"], ["LRANGE", "many", "0", "-1"]]
      }
    }
    let conversation = RawConversation(commands)
    let wanted = try conversation.answers(to: reference.client(limit: .seconds(60)))
    let isSame = try conversation.answers(to: deployment.client(limit: .seconds(60))) == wanted
    #expect(isSame)
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) ?? 0 == 0)
  }

  @Test func `get what the other store has, upgraded`() throws {
    let deployment = try Deployment(.dualPrimary)
    let old = try deployment.secondary.client()
    try old.command("MSET", "a", "1", "b", "2")
    try old.command("HSET", "h", "f", "v")
    let client = try deployment.client()
    try client.speakRESP3()
    for (command, wanted) in [
      (["GET", "a"], "$1\r\n1\r\n"), (["GET", "none"], "_\r\n"),
      (["MGET", "a", "none", "b"], "*3\r\n$1\r\n1\r\n_\r\n$1\r\n2\r\n"),
      (["HMGET", "h", "f", "none"], "*2\r\n$1\r\nv\r\n_\r\n"), (["HMGET", "none", "f"], "*1\r\n_\r\n"),
    ] {
      #expect(try client.answer([command], reading: wanted) == wanted, "\(command)")
      // Within a pipeline the other store's reply takes the place of the default store's miss.
      let framed = "_\r\n\(wanted)_\r\n"
      #expect(try client.answer([["GET", "no"], command, ["GET", "no"]], reading: framed) == framed, "\(command)")
    }
  }

  @Test func `log in and are seen`() throws {
    let deployment = try Deployment(instance: ["password: \"let me in\""])
    let client = try deployment.client()
    let refused =
      "-WRONGPASS invalid username-password pair or user is disabled.\r\n-NOAUTH Authentication required.\r\n"
    #expect(try client.answer([["HELLO", "3", "AUTH", "default", "no"], ["GET", "k"]], reading: refused) == refused)
    #expect(try client.command("HELLO", "3").errorText?.hasPrefix("NOAUTH HELLO must be called") == true)
    #expect(try client.command("AUTH", "let me in") == .ok)
    #expect(try client.command("GET", "none") == .null, "a HELLO that failed has changed nothing")
    let one = try deployment.client()
    let hello = ["HELLO", "3", "AUTH", "default", "let me in", "SETNAME", "me"]
    try one.send(RESPClient.encode(hello))
    try one.speakRESP3()
    #expect(try one.answer([["GET", "none"]], reading: "_\r\n") == "_\r\n")
    let list = try #require(try client.command("CLIENT", "LIST").string).split(separator: "\n")
    #expect(list[0].contains(" resp=2 ") && list[1].contains(" resp=3 ") && list[1].contains(" name=me "))
    // Asked for when connecting, tracking is refused, and the client goes on without.
    #expect(
      try one.answer([["CLIENT", "TRACKING", "ON"]], reading: "-ERR MultiStore: keys can't")
        == "-ERR MultiStore: keys can't"
    )
  }

  @Test(arguments: [true, false])
  func `are answered when a blocking command moves with the default store`(isServed: Bool) throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.speakRESP3()
    try client.send(RESPClient.encode(["BLPOP", "q", isServed ? "0" : "8"]) + RESPClient.encode(["GET", "none"]))
    let old = try deployment.secondary.client()
    try eventually("the command waits") {
      try old.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    if isServed { #expect(try deployment.client().command("RPUSH", "q", "x") == .integer(1)) }
    let wanted = isServed ? "*2\r\n$1\r\nq\r\n$1\r\nx\r\n_\r\n" : "_\r\n_\r\n"
    #expect(try client.next(wanted) == wanted)
  }
}
