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
}
