import TestSupport
import Testing

@Suite("What clients may use up")
struct ClientLimitTests {
  private static let closed = "multistore_client_connections_closed_total"

  @Test(arguments: [MigrationState.off, .dual])
  func `a client that does not read is cut off at its limit, and others go on`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["client_output_buffer_limit: 512KiB"])
    let client = try deployment.client()
    try client.command("SET", "big", String(repeating: "x", count: 100_000))
    let sloth = try RESPClient(deployment.sidecar.address(of: "instance:sessions"), receiveBuffer: 4096)
    try sloth.send((0..<300).flatMap { _ in RESPClient.encode(["GET", "big"]) })
    try deployment.waitForMetric(Self.closed, ["reason": "output_buffer_limit"], 1)
    #expect(try client.command("STRLEN", "big") == .integer(100_000))
    try deployment.waitForMetric("multistore_client_connections", [:], 1)
    #expect(try sloth.readUntilClosed().count < 300 * 100_000)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a slow client below the limit gets everything`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try RESPClient(deployment.sidecar.address(of: "instance:sessions"), receiveBuffer: 4096)
    let value = String(repeating: "x", count: 100_000)
    try client.command("SET", "big", value)
    try client.send((0..<200).flatMap { _ in RESPClient.encode(["GET", "big"]) })
    // Others are served while it does not read.
    let other = try deployment.client()
    for round in 1...50 { #expect(try other.command("INCR", "n") == .integer(round)) }
    for _ in 0..<200 {
      let isWhole = try client.readReply() == .text(value)
      #expect(isWhole)
    }
  }

  /// More than a client may be owed, and still no more than a TCP socket takes at once: nothing else wakes it then.
  @Test(arguments: [MigrationState.off, .dual])
  func `what stands behind a large reply is answered`(state: MigrationState) throws {
    let deployment = try Deployment(state, listen: "127.0.0.1:0")
    let client = try deployment.client()
    let value = String(repeating: "x", count: 400_000)
    for count in 1...12 {
      #expect(try client.command("RPUSH", "list", value) == .integer(count))
      try client.send(RESPClient.encode(["LRANGE", "list", "0", "-1"]) + RESPClient.encode(["ECHO", "end"]))
      let isWhole = try client.readReply() == .array(Array(repeating: .text(value), count: count))
      #expect(isWhole)
      #expect(try client.readReply() == .text("end"))
    }
  }

  @Test func `no more than max_clients are let in, and a place that is free is taken`() throws {
    let deployment = try Deployment(instance: ["max_clients: 3"])
    let clients = try (0..<3).map { _ in try deployment.client() }
    for client in clients { #expect(try client.command("PING") == .simple("PONG")) }
    let fourth = try deployment.client()
    #expect(try String(decoding: fourth.readUntilClosed(), as: UTF8.self) == "-ERR max number of clients reached\r\n")
    #expect(try deployment.metric(Self.closed, ["reason": "max_clients"]) == 1)
    #expect(try deployment.metric("multistore_client_connections") == 3)
    clients[0].close()
    try deployment.waitForMetric("multistore_client_connections", [:], 2)
    #expect(try deployment.client().command("PING") == .simple("PONG"))
    for client in clients[1...] { #expect(try client.command("SET", "k", "v") == .ok) }
  }

  @Test func `where descriptors are few, clients are refused in words, and scrapes and probes are answered`() throws {
    let store = try RedisServer()
    let directory = try TemporaryDirectory()
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: nil, secondary: store.url),
      in: directory,
      descriptors: 120
    )
    try eventually { try sidecar.get("/-/ready").status == 200 }
    let warning = try #require(sidecar.log.all.first { $0.message.contains("Too few file descriptors") })
    let limit = try #require(sidecar.metrics()["multistore_client_connections_limit", ["instance_name": "sessions"]])
    #expect(limit > 20 && limit < 60 && warning["max_clients"]?.string == "sessions: \(Int(limit))")
    let clients = try (0..<150).map { _ in try sidecar.client(instance: "sessions") }
    for client in clients.prefix(Int(limit)) { #expect(try client.command("PING") == .simple("PONG")) }
    for client in clients.dropFirst(Int(limit)) {
      #expect(try client.readReply() == .error("ERR max number of clients reached"))
    }
    #expect(try sidecar.get("/-/ready").status == 200)
    #expect(try sidecar.metrics()[Self.closed, ["instance_name": "sessions", "reason": "max_clients"]] == 150 - limit)
  }

  @Test func `who says nothing for idle_timeout is closed, and who waits for a store is not`() throws {
    let deployment = try Deployment(instance: ["idle_timeout: 1s"], stores: "command_timeout: 60s")
    let idle = try deployment.client()
    deployment.secondary.pause()
    let start = ContinuousClock.now
    #expect(try idle.command("PING") == .simple("PONG"))
    let busy = try deployment.client()
    try busy.send(RESPClient.encode(["SET", "k", "v"]))
    #expect(try idle.readUntilClosed() == [])
    #expect(ContinuousClock.now - start > .milliseconds(900))
    #expect(try deployment.metric(Self.closed, ["reason": "idle_timeout"]) == 1)
    deployment.secondary.resume()
    #expect(try busy.readReply() == .ok)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `five hundred clients at once are served`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let clients = try (0..<500).map { _ in try deployment.client() }
    for client in clients { try client.send(RESPClient.encode(["INCR", "n"]) + RESPClient.encode(["PING"])) }
    var counts: Set<Int> = []
    for client in clients {
      let replies = try client.readReplies(2)
      counts.insert(replies[0].integer ?? -1)
      #expect(replies[1] == .simple("PONG"))
    }
    #expect(counts == Set(1...500))
    #expect(try deployment.metric("multistore_client_connections") == 500)
    clients.forEach { $0.close() }
    try deployment.waitForMetric("multistore_client_connections", [:], 0)
    #expect(try deployment.metric("multistore_client_connections_accepted_total") == 500)
  }

  @Test func `an instance may listen on several addresses`() throws {
    let store = try RedisServer()
    let directory = try TemporaryDirectory()
    let socket = directory.path("sessions.sock")
    let listen = "[\"unix:\(socket)\", \"127.0.0.1:0\"]"
    let sidecar = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, listen: listen, primary: nil, secondary: store.url),
      in: directory
    )
    try eventually { try sidecar.get("/-/ready").status == 200 }
    let addresses = sidecar.log.all.filter { $0["listener"]?.string == "instance:sessions" }
      .compactMap { $0["address"]?.string.flatMap { SocketAddress($0) } }
    #expect(addresses.count == 2 && addresses[0] == .unix(socket))
    for (count, address) in zip(1..., addresses) {
      #expect(try RESPClient(address).command("INCR", "n") == .integer(count))
    }
    #expect(try sidecar.terminate() == .status(0))
    #expect(throws: TestSupportError.self) { try Socket(connectingTo: .unix(socket)) }
  }
}
