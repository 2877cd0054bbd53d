import TestSupport
import Testing

@Suite("Subscriptions")
struct SubscriptionTests {
  /// What is said in one go, for the answers to be held against a server's own.
  private static let scripts: [[[String]]] = [
    [["SUBSCRIBE", "a", "b", "a"], ["PSUBSCRIBE", "p*"], ["SSUBSCRIBE", "s"], ["PING"], ["PING", "hello"]],
    [
      ["SUBSCRIBE", "a"], ["GET", "x"], ["CLIENT", "SETNAME", "x"], ["BOGUS", "1", "2"], ["CLIENT", "BOGUS"], ["GET"],
    ],
    [
      ["SUBSCRIBE", "a"], ["PING", "a", "b"], ["MULTI"], ["HELLO", "2"], ["AUTH", "x"], ["SUBSCRIBE"], ["SELECT", "0"],
    ],
    [["SUBSCRIBE", "a"], ["UNSUBSCRIBE", "a", "other"], ["PING"], ["GET", "x"]],
    [["SUBSCRIBE", "a"], ["UNSUBSCRIBE"], ["PING", "x"], ["PSUBSCRIBE", "b*"], ["UNSUBSCRIBE"], ["PUNSUBSCRIBE"]],
    [["SSUBSCRIBE", "a", "b"], ["SUNSUBSCRIBE", "b"], ["SUNSUBSCRIBE"], ["ECHO", "x"]],
    [["UNSUBSCRIBE"], ["PUNSUBSCRIBE"], ["SUNSUBSCRIBE"], ["UNSUBSCRIBE", "x", "y"], ["GET", "x"]],
    [["SUBSCRIBE", "a"], ["RESET"], ["GET", "x"], ["UNSUBSCRIBE", "a"]],
    [["SUBSCRIBE"], ["PSUBSCRIBE"], ["SSUBSCRIBE"], ["GET", "x"]],
    [["SUBSCRIBE", "a"], ["QUIT"], ["PING"]],
    [["CLIENT", "REPLY", "OFF"], ["SUBSCRIBE", "a"], ["UNSUBSCRIBE", "a"], ["PING"], ["CLIENT", "REPLY", "ON"]],
    [["GET", "x"], ["SUBSCRIBE", "a"], ["UNSUBSCRIBE"], ["MULTI"], ["GET", "x"], ["EXEC"]],
  ]

  @Test(arguments: MigrationState.allCases)
  func `answers are a server's own, whatever is said`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    for script in Self.scripts {
      let bytes = script.flatMap { RESPClient.encode($0) } + RESPClient.encode(["QUIT"])
      let direct = try deployment.secondary.client()
      let client = try deployment.client()
      try direct.send(bytes)
      try client.send(bytes)
      let wanted = String(decoding: try direct.readUntilClosed(), as: UTF8.self)
      #expect(String(decoding: try client.readUntilClosed(), as: UTF8.self) == wanted, "\(script)")
      #expect(wanted.hasSuffix("+OK\r\n"))
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `messages of all kinds arrive once, with any bytes`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let listener = try deployment.client()
    let name: [UInt8] = [0, 13, 10, 255, 42]
    try listener.send(
      RESPClient.encode([Array("SUBSCRIBE".utf8), name]) + RESPClient.encode(["PSUBSCRIBE", "news.*"])
        + RESPClient.encode(["SSUBSCRIBE", "shard"])
    )
    _ = try listener.readReplies(3)
    let publisher = try deployment.client()
    let large = [UInt8](repeating: 0, count: 3_000_000)
    #expect(try publisher.command(bytes: [Array("PUBLISH".utf8), name, large]) == .integer(1))
    #expect(try publisher.command("PUBLISH", "news.today", "rain") == .integer(1))
    #expect(try publisher.command("SPUBLISH", "shard", "s") == .integer(1))
    #expect(try publisher.command("PUBLISH", "nobody", "x") == .integer(0))
    #expect(try listener.readReply() == .array([.text("message"), .bulk(name), .bulk(large)]))
    #expect(
      try listener.readReply()
        == .array([.text("pmessage"), .text("news.*"), .text("news.today"), .text("rain")])
    )
    #expect(try listener.readReply() == .array([.text("smessage"), .text("shard"), .text("s")]))
    #expect(try listener.command("PING", "end") == .array([.text("pong"), .text("end")]))
    #expect(try publisher.command("CLIENT", "LIST", "TYPE", "pubsub").string?.contains("sub=1 psub=1 ssub=1") == true)
    // The other store has no listener, and gets the messages all the same.
    let other = state.primaryIsDefault ? deployment.secondary : deployment.primary
    let direct = try other.client()
    _ = try direct.command("SUBSCRIBE", "both")
    #expect(try publisher.command("PUBLISH", "both", "1") == .integer(0))
    if state.isDual { #expect(try direct.readReply() == .array([.text("message"), .text("both"), .text("1")])) }
  }

  @Test func `the store knows of a client for as long as it listens`() throws {
    let deployment = try Deployment(.dual)
    let store = try deployment.secondary.client()
    func listeners() throws -> Int {
      try store.command("CLIENT", "LIST", "TYPE", "pubsub").string?.split(separator: "\n").count ?? -1
    }
    let clients = try (0..<3).map { _ in try deployment.client() }
    for client in clients { _ = try client.command("SUBSCRIBE", "a") }
    #expect(try listeners() == 3)
    try deployment.waitForMetric("multistore_subscribed_clients", [:], 3)
    _ = try clients[0].command("UNSUBSCRIBE", "a")
    #expect(try clients[0].command("GET", "x") == .null)
    #expect(try clients[1].command("RESET") == .simple("RESET"))
    clients[2].close()
    try eventually("nobody listens") { try listeners() == 0 }
    try deployment.waitForMetric("multistore_store_connections", ["store": "secondary"], 1)
    try deployment.waitForMetric("multistore_subscribed_clients", [:], 0)
  }

  @Test func `who may not, and who is one too many, is told so`() throws {
    let user = "app on >pw ~* +@all &open.*"
    let secondary = try RedisServer(users: [user])
    let directory = try TemporaryDirectory()
    let url = "unix://app:pw@\(secondary.socketPath)"
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(
        in: directory,
        primary: nil,
        secondary: url,
        instance: ["max_dedicated_connections: 1"]
      ),
      in: directory
    )
    try sidecar.waitForEvent { $0.message == "Store connected" }
    let client = try sidecar.client(instance: "sessions")
    #expect(try client.command("SUBSCRIBE", "open.a", "closed").errorText?.hasPrefix("NOPERM") == true)
    // It was no subscription, so this is no subscriber.
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("SUBSCRIBE", "open.a").elements?.last == .integer(1))
    #expect(try client.command("PSUBSCRIBE", "*").errorText?.hasPrefix("NOPERM") == true)
    #expect(try client.command("PING") == .array([.text("pong"), .text("")]))
    let second = try sidecar.client(instance: "sessions")
    #expect(try second.command("SUBSCRIBE", "open.b").errorText?.contains("max_dedicated_connections") == true)
    #expect(try second.command("GET", "k") == .text("v"))
    #expect(try client.command("UNSUBSCRIBE").elements?.last == .integer(0))
    #expect(try second.command("SUBSCRIBE", "open.b").elements?.last == .integer(1))
  }

  @Test func `a listener whose store ends is cut off, and an absent store is an error`() throws {
    let deployment = try Deployment(.dual)
    let listener = try deployment.client()
    _ = try listener.command("SUBSCRIBE", "a")
    deployment.secondary.kill()
    #expect(try listener.readUntilClosed() == [])
    try deployment.waitForMetric("multistore_client_connections_closed_total", ["reason": "subscription_lost"], 1)
    let client = try deployment.client()
    #expect(try client.command("SUBSCRIBE", "a").errorText?.contains("secondary store: not connected") == true)
    #expect(try client.command("PING") == .simple("PONG"))
    try deployment.secondary.restart()
    try eventually("it is served again") { try client.command("SUBSCRIBE", "a").errorText == nil }
  }

  @Test(arguments: [false, true])
  func `a listener whose command a store that hangs does not answer is cut off`(speaksRESP3: Bool) throws {
    let deployment = try Deployment(stores: "command_timeout: 3s")
    let listener = try deployment.client()
    if speaksRESP3 { try listener.speakRESP3() }
    let confirmation = "\(speaksRESP3 ? ">" : "*")3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    #expect(try listener.answer([["SUBSCRIBE", "a"]], reading: confirmation) == confirmation)
    deployment.secondary.pause()
    defer { deployment.secondary.resume() }
    try listener.send(RESPClient.encode(["SUBSCRIBE", "b"]))
    #expect(try listener.readUntilClosed() == [])
    try deployment.waitForMetric("multistore_client_connections_closed_total", ["reason": "subscription_lost"], 1)
  }

  @Test func `a client that is gone before its command is answered leaves nothing open`() throws {
    let deployment = try Deployment(listen: "127.0.0.1:0", stores: "command_timeout: 60s")
    let (listener, other) = (try deployment.client(), try deployment.client())
    try listener.speakRESP3()
    let confirmation = ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
    #expect(try listener.answer([["SUBSCRIBE", "a"]], reading: confirmation) == confirmation)
    deployment.secondary.pause()
    defer { deployment.secondary.resume() }
    try listener.send(RESPClient.encode(["PSUBSCRIBE", "b*"]))
    try eventually("the command is in flight") {
      try other.command("CLIENT", "LIST").string?.contains(" cmd=psubscribe ") == true
    }
    listener.reset()
    try deployment.waitForMetric("multistore_client_connections", [:], 1)
    try deployment.waitForMetric("multistore_store_dedicated_connections", ["store": "secondary"], 0)
  }

  @Test func `a listener with as many names as it may have gets no more, and can unsubscribe`() throws {
    let deployment = try Deployment()
    let listener = try deployment.client()
    let names = ["a", "b", "c"].map { String(repeating: $0, count: 5 << 20) }
    for (index, name) in names.enumerated() {
      let isSubscribed = try listener.command("SUBSCRIBE", name).elements?.last == .integer(index + 1)
      #expect(isSubscribed)
    }
    let more = String(repeating: "d", count: 2 << 20)
    #expect(try listener.command("SUBSCRIBE", more).errorText?.contains("16 MiB") == true)
    #expect(try listener.command("PING", "x") == .array([.text("pong"), .text("x")]))
    #expect(try listener.command("UNSUBSCRIBE", names[0]).elements?.last == .integer(2))
    #expect(try listener.command("SUBSCRIBE", more).elements?.last == .integer(3))
  }

  @Test func `a listener that does not read is cut off at its limit`() throws {
    let deployment = try Deployment(.dual, instance: ["client_output_buffer_limit: 512KiB"])
    let sloth = try RESPClient(deployment.sidecar.address(of: "instance:sessions"), receiveBuffer: 4096)
    _ = try sloth.command("SUBSCRIBE", "a")
    let publisher = try deployment.client()
    let message = String(repeating: "x", count: 100_000)
    try eventually("it is cut off") {
      _ = try publisher.command("PUBLISH", "a", message)
      return try deployment.metric("multistore_client_connections_closed_total", ["reason": "output_buffer_limit"]) == 1
    }
    try eventually("the store has let go of it") { try publisher.command("PUBLISH", "a", "x") == .integer(0) }
  }

  @Test func `a listener may be idle, and goes when the sidecar ends`() throws {
    let deployment = try Deployment(instance: ["idle_timeout: 1s"])
    let listener = try deployment.client()
    _ = try listener.command("SUBSCRIBE", "a")
    let idle = try deployment.client()
    #expect(try idle.readUntilClosed() == [])
    try deployment.secondary.client().command("PUBLISH", "a", "1")
    #expect(try listener.readReply() == .array([.text("message"), .text("a"), .text("1")]))
    try deployment.finish()
    #expect(try listener.readUntilClosed() == [])
  }
}
