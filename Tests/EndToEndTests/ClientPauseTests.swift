import TestSupport
import Testing

@Suite("CLIENT PAUSE")
struct ClientPauseTests {
  private static let held = "multistore_clients_paused"

  private func send(_ lines: String..., to client: RESPClient) throws {
    try client.send(lines.flatMap { RESPClient.encode($0.split(separator: " ").map(String.init)) })
  }

  private func read(until end: String, from client: RESPClient) throws {
    var bytes: [UInt8] = []
    while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) { bytes += try client.readBytes(1) }
  }

  private func pause(_ deployment: Deployment, _ mode: String, milliseconds: Int = 3_600_000) throws -> RESPClient {
    let client = try deployment.client()
    #expect(try client.command("CLIENT", "PAUSE", "\(milliseconds)", mode) == .ok)
    return client
  }

  @Test(arguments: MigrationState.allCases)
  func `holds what may write until it ends, and lets reads pass`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let lines = [
      "SET k v", "PUBLISH c m", "PFCOUNT h", "BLPOP l 0.1", "EVAL return{1} 0", "XREADGROUP GROUP g c STREAMS s >",
      "GETEX k",
    ]
    let open = try deployment.client()
    for line in ["MULTI", "SET in transaction"] { try open.command(line.split(separator: " ").map(String.init)) }
    let admin = try pause(deployment, "WRITE")
    let clients = try lines.map { line in
      let client = try deployment.client()
      try send("GET k", line, "GET k", to: client)
      return client
    }
    try send("EXEC", to: open)
    try deployment.waitForMetric(Self.held, [:], Double(lines.count + 1))
    for client in clients { #expect(try client.readReply() == .null) }
    for store in [deployment.primary, deployment.secondary] {
      #expect(try store.client().command("DBSIZE") == .integer(0))
    }
    #expect(try admin.command("MGET", "k", "l") == .array([.null, .null]))
    #expect(try admin.pipeline([["MULTI"], ["GET", "k"], ["EXEC"]]).last == .array([.null]))
    #expect(try admin.command("EVAL", "#!lua flags=no-writes\nreturn 1", "0") == .integer(1))
    #expect(try admin.command("SET", "k").errorText?.contains("wrong number") == true)
    #expect(try admin.command("CLIENT", "UNPAUSE") == .ok)
    #expect(try open.readReply() == .array([.ok]))
    // The first client's write precedes the others' reads: they are resumed in the order in which they were held.
    #expect(try clients[0].readReplies(2) == [.ok, .text("v")])
    for client in clients[1...] { #expect(try client.readReplies(2).count == 2) }
    try deployment.waitForMetric(Self.held, [:], 0)
    #expect(try admin.command("GET", "in") == .text("transaction"))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `holds all commands of all databases, until its time is over`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let (first, second) = (try deployment.client(), try deployment.client())
    #expect(try second.command("SELECT", "3") == .ok)
    let start = ContinuousClock.now
    let admin = try pause(deployment, "ALL", milliseconds: 3_000)
    try send("CLIENT UNPAUSE", "GET k", to: first)
    try send("PING", "SET k v", "GET k", to: second)
    try send("QUIT", to: admin)
    // The stores are not paused.
    for store in [deployment.primary, deployment.secondary] { try store.client().command("SET", "k", "direct") }
    #expect(try second.readReplies(3) == [.simple("PONG"), .ok, .text("v")])
    #expect(ContinuousClock.now - start >= .seconds(3))
    #expect(try first.readReplies(2) == [.ok, .text("direct")])
    #expect(try admin.readUntilClosed() == Array("+OK\r\n".utf8))
  }

  @Test func `does not delay errors that a server finds before it`() throws {
    let deployment = try Deployment(.dual, instance: ["password: secret"])
    let (client, subscriber) = (try deployment.client(), try deployment.client())
    for client in [client, subscriber] { #expect(try client.command("AUTH", "secret") == .ok) }
    try send("SUBSCRIBE c", to: subscriber)
    try read(until: ":1\r\n", from: subscriber)
    #expect(try client.command("CLIENT", "PAUSE", "3600000") == .ok)
    #expect(try client.command("GET").errorText?.contains("wrong number") == true)
    #expect(try client.command("CLIENT", "NOSUCH").errorText?.contains("unknown subcommand") == true)
    #expect(try deployment.client().command("GET", "k").errorText?.hasPrefix("NOAUTH") == true)
    #expect(try subscriber.command("GET", "k").errorText?.contains("allowed in this context") == true)
    let stranger = try deployment.client()
    try send("AUTH secret", to: stranger)
    try send("PING", to: subscriber)
    try deployment.waitForMetric(Self.held, [:], 2)
  }

  @Test func `applies to the commands behind it, in the same piece of input`() throws {
    let deployment = try Deployment(.dual)
    let (client, other) = (try deployment.client(), try deployment.client())
    try send("SET k 1", "CLIENT PAUSE 60000 WRITE", "GET k", "SET k 2", "GET k", to: client)
    #expect(try client.readReplies(3) == [.ok, .ok, .text("1")])
    try deployment.waitForMetric(Self.held, [:], 1)
    #expect(try other.command("GET", "k") == .text("1"))
    // Neither shorter nor weaker.
    #expect(try other.command("CLIENT", "PAUSE", "1", "WRITE") == .ok)
    #expect(try other.command("CLIENT", "PAUSE", "0") == .ok)
    try send("GET k", to: other)
    try deployment.waitForMetric(Self.held, [:], 2)
    client.close()
    try deployment.waitForMetric(Self.held, [:], 1)
  }

  @Test func `is shown for each client that it holds, which can be killed`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    let id = try #require(try client.command("CLIENT", "ID").integer)
    let admin = try pause(deployment, "WRITE")
    try send("INCR n", to: client)
    try deployment.waitForMetric(Self.held, [:], 1)
    let line = try #require(try admin.command("CLIENT", "LIST", "ID", "\(id)").string)
    #expect(line.contains(" cmd=incr ") && line.split(separator: " ").contains { $0.hasPrefix("flags=b") })
    #expect(try admin.command("CLIENT", "UNBLOCK", "\(id)") == .integer(0))
    #expect(try admin.command("CLIENT", "KILL", "ID", "\(id)") == .integer(1))
    #expect(try client.readUntilClosed() == [])
    try deployment.waitForMetric(Self.held, [:], 0)
    #expect(try admin.command("CLIENT", "UNPAUSE") == .ok)
    #expect(try admin.command("GET", "n") == .null)
    try deployment.sidecar.waitForEvent { $0.message == "Clients paused by CLIENT PAUSE" }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `does not execute what a client has sent that ends meanwhile`(state: MigrationState) throws {
    let deployment = try Deployment(state, listen: "127.0.0.1:0")
    let admin = try pause(deployment, "WRITE")
    for end in [{ $0.close() }, { $0.reset() }, { $0.shutdownWrites() }] as [(RESPClient) -> Void] {
      let client = try deployment.client()
      try send("GET n", "INCR n", "GET n", to: client)
      try deployment.waitForMetric(Self.held, [:], 1)
      #expect(try client.readReply() == .null)
      end(client)
      try deployment.waitForMetric(Self.held, [:], 0)
      try deployment.waitForMetric("multistore_client_connections", [:], 1)
    }
    // A client that has ended before its command is looked at.
    let client = try deployment.client()
    try send("GET n", "INCR n", to: client)
    client.shutdownWrites()
    #expect(try client.readUntilClosed() == Array("$-1\r\n".utf8))
    #expect(try admin.command("CLIENT", "UNPAUSE") == .ok)
    #expect(try admin.command("INCR", "n") == .integer(1))
  }

  @Test func `of an hour does not delay the end of the sidecar`() throws {
    let deployment = try Deployment(.dual)
    let (held, busy) = (try deployment.client(), try deployment.client())
    _ = try pause(deployment, "WRITE")
    try send("INCR n", to: held)
    try deployment.waitForMetric(Self.held, [:], 1)
    try send("GET n", to: busy)
    #expect(try busy.readReply() == .null)
    #expect(try deployment.sidecar.terminate() == .status(0))
    #expect(try held.readUntilClosed() == [])
    #expect(try busy.readUntilClosed() == [])
    #expect(try deployment.secondary.client().command("EXISTS", "n") == .integer(0))
  }

  @Test func `does not keep the flags from changing`() throws {
    let deployment = try Deployment(.off)
    let (held, watching) = (try deployment.client(), try deployment.client())
    #expect(try watching.command("WATCH", "w") == .ok)
    let admin = try pause(deployment, "WRITE")
    try send("SET k v", to: held)
    try send("SET w v", to: watching)
    try deployment.waitForMetric(Self.held, [:], 2)
    for state in [MigrationState.dual, .dualPrimary, .primaryOnly] { try deployment.move(to: state) }
    #expect(try admin.command("CLIENT", "UNPAUSE") == .ok)
    #expect(try held.readReply() == .ok)
    #expect(try watching.readReply() == .ok)
    #expect(try deployment.primary.client().command("MGET", "k", "w") == .array([.text("v"), .text("v")]))
    #expect(try deployment.secondary.client().command("DBSIZE") == .integer(0))
  }

  @Test(arguments: [2, 3])
  func `lets messages and elements from elsewhere arrive`(version: Int) throws {
    let deployment = try Deployment(.dual)
    let (subscriber, waiting) = (try deployment.client(), try deployment.client())
    try send("HELLO \(version)", "SUBSCRIBE c", to: subscriber)
    try read(until: "subscribe\r\n$1\r\nc\r\n:1\r\n", from: subscriber)
    try send("BLPOP l 0", to: waiting)
    let store = try deployment.secondary.client()
    try eventually("it waits") {
      try store.command("INFO", "clients").string?.contains("blocked_clients:1\r\n") == true
    }
    _ = try pause(deployment, "ALL", milliseconds: 60_000)
    try send("PING", to: subscriber)
    try deployment.waitForMetric(Self.held, [:], 1)
    #expect(try store.command("PUBLISH", "c", "m") == .integer(1))
    try read(until: "message\r\n$1\r\nc\r\n$1\r\nm\r\n", from: subscriber)
    #expect(try store.command("RPUSH", "l", "e") == .integer(1))
    #expect(try waiting.readReply() == .array([.text("l"), .text("e")]))
  }

  /// Two large commands, of which the first may be in flight alone.
  @Test func `lets large reads pass those of clients that it holds`() throws {
    let deployment = try Deployment(.dual)
    let value = String(repeating: "x", count: 9 << 20)
    let admin = try pause(deployment, "WRITE")
    let writers = try (1...3).map { number in
      let client = try deployment.client()
      try client.send(RESPClient.encode(["SET", "k\(number)", value]))
      return client
    }
    try deployment.waitForMetric(Self.held, [:], 3)
    #expect(try admin.command("MGET", value, "k1") == .array([.null, .null]))
    #expect(try admin.command("CLIENT", "UNPAUSE") == .ok)
    for client in writers { #expect(try client.readReply() == .ok) }
  }
}
