import TestSupport
import Testing

@Suite("Clients that end")
struct EndOfClientTests {
  @Test(
    "before their last command is executed, which waits for others, are let go, and nothing is popped for them",
    arguments: [["BLPOP", "k", "0"], ["XREAD", "BLOCK", "0", "STREAMS", "k", "$"], ["SUBSCRIBE", "c"]],
    [MigrationState.off, .dual]
  )
  func waiting(command: [String], state: MigrationState) throws {
    // On a busy machine the script may take longer than a store usually has.
    let deployment = try Deployment(state, stores: "command_timeout: 60s")
    let client = try deployment.client()
    // The script is under way when the end is seen, and what follows it has to wait for it.
    let script = "local n = 0 for i = 1, 3e7 do n = n + i end return 'done'"
    try client.send(RESPClient.encode(["EVAL", script, "0"]) + RESPClient.encode(command))
    client.shutdownWrites()
    let answer = String(decoding: try client.readUntilClosed(), as: UTF8.self)
    #expect(answer.hasPrefix("$4\r\ndone\r\n"))
    try deployment.waitForMetric("multistore_client_connections", [:], 0)
    if command[0] == "BLPOP" {
      let other = try deployment.client()
      #expect(try other.command("RPUSH", "k", "v") == .integer(1))
      #expect(try other.command("LLEN", "k") == .integer(1))
    }
  }

  /// Over TCP, whose sockets take some MiB at once: what holds the input up is gone at once, or when it has drained.
  @Test(arguments: [MigrationState.off, .dual])
  func `have what stands behind a large reply executed and answered`(state: MigrationState) throws {
    let deployment = try Deployment(state, listen: "127.0.0.1:0")
    let other = try deployment.client()
    let value = String(repeating: "x", count: 400_000)
    for count in 1...12 {
      try other.command("RPUSH", "list", value)
      let client = try deployment.client()
      let commands = [["LRANGE", "list", "0", "-1"], ["ECHO", "end"], ["INCR", "n"]]
      try client.send(commands.flatMap { RESPClient.encode($0) })
      client.shutdownWrites()
      let isWhole = try client.readReply() == .array(Array(repeating: .text(value), count: count))
      #expect(isWhole)
      #expect(try client.readReplies(2) == [.text("end"), .integer(count)])
      #expect(try client.readUntilClosed() == [])
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `have what blocks nobody answered, and all behind it`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let other = try deployment.client()
    for round in 1...5 {
      #expect(try other.command("RPUSH", "k", "v") == .integer(1))
      let client = try deployment.client()
      try client.send(RESPClient.encode(["BLPOP", "k", "0"]) + RESPClient.encode(["INCR", "n"]))
      client.shutdownWrites()
      #expect(try client.readReplies(2) == [.array([.text("k"), .text("v")]), .integer(round)])
      #expect(try client.readUntilClosed() == [])
    }
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `have what blocks nobody answered while its effect waits for the other store`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let other = try deployment.client()
    #expect(try other.command("RPUSH", "k", "v") == .integer(1))
    let (defaultStore, copies) =
      state == .dual ? (deployment.secondary, deployment.primary) : (deployment.primary, deployment.secondary)
    copies.pause()
    let client = try deployment.client()
    try client.send(RESPClient.encode(["BLPOP", "k", "0"]) + RESPClient.encode(["ECHO", "end"]))
    client.shutdownWrites()
    try eventually("it is served") { try defaultStore.client().command("LLEN", "k") == .integer(0) }
    // The sidecar has seen the end by then.
    for _ in 0..<2 { #expect(try other.command("PING") == .simple("PONG")) }
    copies.resume()
    #expect(try client.readReplies(2) == [.array([.text("k"), .text("v")]), .text("end")])
    #expect(try client.readUntilClosed() == [])
  }

  /// More than is read beside a command that is under way.
  @Test(arguments: [MigrationState.off, .dual])
  func `are noticed however much they have said behind what blocks`(state: MigrationState) throws {
    let deployment = try Deployment(state, listen: "127.0.0.1:0", instance: ["max_dedicated_connections: 2"])
    let other = try deployment.client()
    let store = try deployment.secondary.client()
    func waitForBlocked(_ count: Int) throws {
      try eventually("\(count) are blocked") {
        try store.command("INFO", "clients").string?.contains("blocked_clients:\(count)\r\n") == true
      }
    }
    let rest = RESPClient.encode(["SET", "large", String(repeating: "x", count: 600_000)])
    for (count, end) in zip(1..., [{ $0.close() }, { $0.reset() }, { $0.shutdownWrites() }] as [(RESPClient) -> Void]) {
      let client = try deployment.client()
      try client.send(RESPClient.encode(["BLPOP", "k\(count)", "0"]) + rest)
      try waitForBlocked(1)
      end(client)
      try deployment.waitForMetric("multistore_client_connections", [:], 1)
      // The store may look at the next command before it looks at the connection that was closed.
      try waitForBlocked(0)
      for length in 1...2 { #expect(try other.command("RPUSH", "k\(count)", "v") == .integer(length)) }
    }
    #expect(try other.command("EXISTS", "large") == .integer(0))
  }

  @Test(
    "have all commands behind those executed that are taken one at a time",
    arguments: [
      [["CLIENT", "REPLY", "SKIP"], ["PING"]], [["SELECT", "1"], ["RESET"]], [["SUBSCRIBE", "c"], ["UNSUBSCRIBE"]],
      [["WATCH", "n"], ["MULTI"], ["SET", "k", "v"], ["EXEC"]],
    ],
    [MigrationState.off, .dual]
  )
  func oneAtATime(commands: [[String]], state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let all = (0..<20).flatMap { _ in commands } + [["INCR", "n"]]
    try client.send(all.flatMap { RESPClient.encode($0) })
    client.shutdownWrites()
    #expect(String(decoding: try client.readUntilClosed(), as: UTF8.self).hasSuffix(":1\r\n"))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `have their last command answered, whichever connection it has taken`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    for commands in [
      [["SUBSCRIBE", "c"], ["UNSUBSCRIBE", "c"]], [["WATCH", "k"]],
      [["WATCH", "k"], ["MULTI"], ["INCR", "n"], ["EXEC"]], [["EVAL", "return 'done'", "0"]],
    ] {
      let client = try deployment.client()
      let other = try deployment.client()
      let expected = try other.pipeline(commands)
      try client.send(commands.flatMap { RESPClient.encode($0) })
      client.shutdownWrites()
      let replies = try client.readReplies(commands.count)
      #expect(replies.dropLast() == expected.dropLast())
      #expect(try client.readUntilClosed() == [])
    }
    #expect(try deployment.client().command("GET", "n") == .text("2"))
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `that are cut off leave nothing open, and what they watch holds for what they have said`(
    state: MigrationState
  ) throws {
    let deployment = try Deployment(
      state,
      listen: "127.0.0.1:0",
      instance: ["max_dedicated_connections: 1"],
      stores: "command_timeout: 60s"
    )
    let other = try deployment.client()
    for _ in 1...3 {
      let client = try deployment.client()
      #expect(try other.command("SET", "k", "theirs") == .ok)
      try deployment.pauseOnceIdle("secondary")
      let commands = [["SET", "n", "1"], ["WATCH", "k"], ["MULTI"], ["SET", "k", "mine"], ["EXEC"]]
      try client.send(commands.flatMap { RESPClient.encode($0) })
      try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 1)
      client.reset()
      deployment.secondary.resume()
      try eventually { try other.command("GET", "k") == .text("mine") }
      try deployment.waitForMetric("multistore_client_connections", [:], 1)
    }
    #expect(try other.command("WATCH", "k") == .ok)
  }
}
