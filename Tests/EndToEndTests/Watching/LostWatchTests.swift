import TestSupport
import Testing

@Suite("Watches that are lost")
struct LostWatchTests {
  private static let exec = [["MULTI"], ["SET", "k", "mine"], ["EXEC"]]

  /// Closes the connection that watches, and waits until the store has another one or none.
  private func killWatching(_ store: RedisServer) throws {
    let direct = try store.client()
    let lines = try direct.command("CLIENT", "LIST").string?.split(separator: "\n") ?? []
    let line = try #require(lines.first { $0.contains(" cmd=watch ") }, "\(lines)")
    let id = line.dropFirst("id=".count).prefix { $0 != " " }
    #expect(try direct.command("CLIENT", "KILL", "ID", String(id)) == .integer(1))
  }

  @Test(arguments: MigrationState.allCases)
  func `EXEC answers nil when the connection was lost, and reads go on`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    for (number, between) in [[], [["GET", "k"], ["MGET", "k", "j"]], [["WATCH", "j"], ["GET", "k"]]].enumerated() {
      #expect(try client.command("WATCH", "k") == .ok)
      try killWatching(deployment.defaultStore(state))
      try deployment.waitForMetric(
        "multistore_store_connection_failures_total",
        ["store": state.primaryIsDefault ? "primary" : "secondary", "reason": "idle"],
        Double(number + 1)
      )
      for command in between { #expect(try client.command(command).errorText == nil) }
      #expect(try client.pipeline(Self.exec).last == .array(nil))
      #expect(try client.command("EXISTS", "k") == .integer(0))
      try deployment.waitForMetric(
        "multistore_lost_watches_total",
        ["reason": "connection_lost"],
        Double(number + 1)
      )
    }
    #expect(try client.command("WATCH", "k") == .ok)
    #expect(try client.pipeline(Self.exec).last == .array([.ok]))
  }

  /// In the third state the keys that the default store lacks are moved first. The store may be lost meanwhile.
  @Test func `EXEC answers nil when the connection was lost while the transaction waited for a key`() throws {
    let deployment = try Deployment(.dualPrimary)
    let old = try deployment.secondary.client()
    #expect(try old.command("SET", "moved", "41") == .ok)
    let client = try deployment.client()
    #expect(try client.command("WATCH", "k") == .ok)
    deployment.secondary.pause()
    let commands = [["MULTI"], ["INCR", "moved"], ["SET", "k", "mine"], ["EXEC"]]
    try client.send(commands.flatMap { RESPClient.encode($0) })
    #expect(try client.readReplies(3) == [.ok, .simple("QUEUED"), .simple("QUEUED")])
    let new = try deployment.primary.client()
    try eventually("the default store was asked for the key") {
      try new.command("INFO", "commandstats").string?.contains("cmdstat_exists:") == true
    }
    try killWatching(deployment.primary)
    #expect(try new.command("SET", "k", "other") == .ok)
    let idle = ["store": "primary", "reason": "idle"]
    try deployment.waitForMetric("multistore_store_connection_failures_total", idle, 1)
    deployment.secondary.resume()
    #expect(try client.readReply() == .array(nil))
    #expect(try client.command("GET", "k") == .text("other"))
    try deployment.waitForMetric("multistore_lost_watches_total", ["reason": "connection_lost"], 1)
    #expect(try client.pipeline(Self.exec).last == .array([.ok]))
  }

  @Test func `a client that was blocked when the default store moved has lost its watch`() throws {
    let deployment = try Deployment(.off)
    let client = try deployment.client()
    let other = try deployment.client()
    #expect(try client.command("WATCH", "k") == .ok)
    try client.send(RESPClient.encode(["BLPOP", "q", "0"]))
    let old = try deployment.secondary.client()
    try eventually { try old.command("INFO", "clients").string?.contains("blocked_clients:1") == true }
    try deployment.move(to: .primaryOnly)
    #expect(try other.command("RPUSH", "q", "x") == .integer(1))
    #expect(try client.readReply() == .array([.text("q"), .text("x")]))
    #expect(try client.pipeline(Self.exec).last == .array(nil))
    #expect(try client.command("EXISTS", "k") == .integer(0))
    #expect(try client.pipeline(Self.exec).last == .array([.ok]))
  }

  /// As on a server: a WATCH that is answered with an error watches nothing.
  @Test func `a WATCH that could not be executed has no effect, and the next one is as any other`() throws {
    // The WATCH that fails last goes over an open connection, and waits for command_timeout.
    let deployment = try Deployment(.off, stores: "connect_timeout: 200ms, command_timeout: 5s")
    let client = try deployment.client()
    deployment.secondary.pause()
    #expect(try client.command("WATCH", "k").errorText?.hasPrefix("ERR MultiStore: secondary store: ") == true)
    deployment.secondary.resume()
    try eventually("the store can be used") { try client.command("EXISTS", "k") == .integer(0) }
    #expect(try client.pipeline(Self.exec).last == .array([.ok]))
    try client.expect(["DEL", "k"], .integer(1))
    deployment.secondary.pause()
    #expect(try client.command("WATCH", "k").errorText != nil)
    deployment.secondary.resume()
    try eventually("keys can be watched") { try client.command("WATCH", "k") == .ok }
    #expect(try client.pipeline(Self.exec).last == .array([.ok]))
  }
}
