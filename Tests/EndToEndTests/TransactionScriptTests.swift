import TestSupport
import Testing

/// The same random conversations with a server and with the sidecar.
@Suite("Transactions: word for word as a server's")
struct TransactionScriptTests {
  private static let commands = [
    "MULTI", "MULTI", "MULTI", "MULTI", "EXEC", "EXEC", "EXEC", "DISCARD", "WATCH k", "WATCH k n", "UNWATCH",
    "SET k v", "SET k v", "GET k", "INCR n", "INCR k", "LPUSH l 1", "LRANGE l 0 -1", "LPUSH k 1", "DEL k", "APPEND k x",
    "PING", "PING x", "PING x y", "ECHO x", "CONFIG GET port", "OBJECT ENCODING k", "PUBLISH c m",
    // What is refused when it is queued.
    "GET", "SET k", "EXEC x", "MULTI x", "DISCARD x", "WATCH", "UNWATCH x", "ECHO", "NOSUCH", "nosuch a 'b' \\c",
    "CONFIG NOSUCH", "CONFIG", "OBJECT NOSUCH k", "CLIENT NOSUCH", "CLIENT", "RESET x", "QUITE",
    // By another client, between two commands of this one.
    "rival SET k r", "rival INCR n", "RESET",
  ]

  @Test(arguments: [MigrationState.off, .dual, .dualPrimary])
  func `random conversations`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let redis = try RedisServer()
    var generator = SplitMix64(state: 20_261_123)
    for round in 0..<60 {
      let direct = (client: try redis.client(), rival: try redis.client())
      let sidecar = (client: try deployment.client(), rival: try deployment.client())
      var conversation: [String] = []
      for _ in 0..<12 {
        let line = try #require(Self.commands.randomElement(using: &generator))
        conversation.append(line)
        var words = line.split(separator: " ").map(String.init)
        let isRival = words[0] == "rival"
        if isRival { words.removeFirst() }
        let expected = try (isRival ? direct.rival : direct.client).command(words)
        let reply = try (isRival ? sidecar.rival : sidecar.client).command(words)
        try #require(reply == expected, "round \(round): \(conversation)")
      }
    }
    let keys = try redis.client().command("DBSIZE")
    #expect(try deployment.defaultStore(state).client().command("DBSIZE") == keys)
  }

  @Test(arguments: [["SAVE"], ["SHUTDOWN"], ["SYNC"], ["PSYNC", "?", "-1"]])
  func `what a server does not queue is refused in its words`(command: [String]) throws {
    let (deployment, redis) = (try Deployment(), try RedisServer())
    let transaction = [["MULTI"], command, ["SET", "k", "v"], ["EXEC"], ["GET", "k"]]
    #expect(try deployment.client().pipeline(transaction) == redis.client().pipeline(transaction))
  }

  @Test func `unlisted commands are counted when they are queued, or refused`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    var replies = try client.pipeline([["MULTI"], ["TIME"], ["NOSUCH", "a"], ["EXEC"]])
    #expect(replies[1] == .simple("QUEUED") && replies[3].errorText?.hasPrefix("EXECABORT") == true)
    try deployment.waitForMetric(MultiStoreNames.methodMissing, ["command": "time"], 1)
    try deployment.waitForMetric(MultiStoreNames.methodMissing, ["command": "other"], 1)
    let strict = try Deployment(instance: ["unlisted_commands: reject"])
    replies = try strict.client().pipeline([["MULTI"], ["TIME"], ["INFO", "server"], ["SET", "k", "v"], ["EXEC"]])
    #expect(replies[1].errorText?.contains("unlisted_commands") == true)
    #expect(replies[2] == .simple("QUEUED") && replies[4].errorText?.hasPrefix("EXECABORT") == true)
    #expect(try strict.secondary.client().command("EXISTS", "k") == .integer(0))
    try strict.waitForMetric(MultiStoreNames.methodMissing, ["command": "time"], 1)
  }
}
