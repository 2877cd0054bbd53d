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

  @Test(
    "have all commands behind those executed that are taken one at a time",
    arguments: [[["CLIENT", "REPLY", "SKIP"], ["PING"]], [["SELECT", "1"], ["RESET"]]],
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
}
