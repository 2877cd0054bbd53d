import Foundation
import TestSupport
import Testing

@Suite("The relay between a client and a server")
struct FaultRelayTests {
  /// How long nothing must come for a test to believe that nothing will.
  static let silence = Duration.milliseconds(50)

  let server: RedisServer

  init() throws { server = try RedisServer() }

  @Test(arguments: [false, true])
  func `all bytes pass in both directions`(tcp: Bool) throws {
    let relay = try FaultRelay(to: server.address, tcp: tcp)
    let client = try RESPClient(relay.address)
    let value = String(repeating: "x", count: 5_000)
    let replies = try client.pipeline((0..<2_000).map { ["ECHO", "\(value)\($0)"] }, within: .seconds(60))
    #expect(replies.count == 2_000)
    #expect(replies.last == .text("\(value)1999"))
    #expect(relay.openCount == 1)
    client.close()
    try eventually("the connection is over") { relay.openCount == 0 }
    #expect(relay.acceptedCount == 1)
  }

  @Test func `delayed replies stay in order and are under way together`() throws {
    let relay = try FaultRelay(to: server.address)
    relay.conduct = RelayConduct(replyDelay: .milliseconds(200))
    let client = try RESPClient(relay.address)
    let start = ContinuousClock.now
    var first: Duration?
    for number in 0..<100 { try client.send(RESPClient.encode(["ECHO", "\(number)"])) }
    for number in 0..<100 {
      #expect(try client.readReply() == .text("\(number)"))
      first = first ?? (ContinuousClock.now - start)
    }
    #expect(first ?? .zero >= .milliseconds(200))
    // One after the other they would take twenty seconds.
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func `held requests reach the server afterwards, also those of a client that has gone`() throws {
    let relay = try FaultRelay(to: server.address)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    relay.conduct = .stalled
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    expectNothing(from: client)
    client.close()
    #expect(try server.client().command("EXISTS", "k") == .integer(0))
    relay.conduct = .passing
    try eventually("the write arrives") { try server.client().command("EXISTS", "k") == .integer(1) }
  }

  @Test func `replies alone can be held`() throws {
    let relay = try FaultRelay(to: server.address)
    let client = try RESPClient(relay.address)
    relay.conduct = RelayConduct(replies: .holds)
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    try eventually("the write arrives") { try server.client().command("EXISTS", "k") == .integer(1) }
    expectNothing(from: client)
    relay.conduct = .passing
    #expect(try client.readReply() == .ok)
  }

  @Test func `discarded bytes never arrive, and the connection is reset afterwards`() throws {
    let relay = try FaultRelay(to: server.address, tcp: true)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    relay.conduct = .blackHole
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    let stranger = try RESPClient(relay.address)
    try stranger.send(RESPClient.encode(["PING"]))
    expectNothing(from: client)
    expectNothing(from: stranger)
    relay.conduct = .passing
    expectReset(client)
    #expect(try stranger.readReply() == .simple("PONG"))
    #expect(try server.client().command("EXISTS", "k") == .integer(0))
  }

  @Test func `a change does not concern bytes that have arrived before`() throws {
    for number in 0..<10 {
      let relay = try FaultRelay(to: server.address)
      let client = try RESPClient(relay.address)
      #expect(try client.command("PING") == .simple("PONG"))
      try client.send(RESPClient.encode(["SET", "passed:\(number)", "v"]))
      relay.conduct = .blackHole
      try client.send(RESPClient.encode(["SET", "lost:\(number)", "v"]))
      relay.conduct = .passing
      // The first reply comes if the server was fast.
      _ = try client.readUntilClosed()
    }
    try eventually("the first write of each client arrives") { try server.client().command("DBSIZE") == .integer(10) }
    #expect(try server.client().command("EXISTS", "passed:0", "passed:9", "lost:0", "lost:9") == .integer(2))
  }

  @Test func `a connection hangs after so many replies, or after one of them`() throws {
    let relay = try FaultRelay(to: server.address)
    let before = try RESPClient(relay.address)
    #expect(try before.command("PING") == .simple("PONG"))
    for limit in [RelayConduct.ReplyLimit.count(2), .through(.simple("PONG"))] {
      relay.conduct = RelayConduct(hangsAfter: limit)
      let client = try RESPClient(relay.address)
      try client.send(
        RESPClient.encode(["ECHO", "a"]) + RESPClient.encode(["PING"]) + RESPClient.encode(["ECHO", "b"])
      )
      #expect(try client.readReplies(2) == [.text("a"), .simple("PONG")])
      try before.send(RESPClient.encode(["PING"]))
      expectNothing(from: client)
      expectNothing(from: before)
      relay.conduct = .passing
      #expect(try client.readReply() == .text("b"))
      #expect(try before.readReply() == .simple("PONG"))
    }
  }

  @Test(arguments: [false, true])
  func `new connections are refused while open ones go on`(tcp: Bool) throws {
    let relay = try FaultRelay(to: server.address, tcp: tcp)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    relay.conduct = .refusing
    #expect(throws: TestSupportError.self) { try RESPClient(relay.address) }
    #expect(try client.command("PING") == .simple("PONG"))
    relay.conduct = .passing
    #expect(try RESPClient(relay.address).command("PING") == .simple("PONG"))
  }

  @Test func `ignored connections are served afterwards`() throws {
    let relay = try FaultRelay(to: server.address)
    relay.conduct = .ignoring
    let client = try RESPClient(relay.address)
    try client.send(RESPClient.encode(["PING"]))
    expectNothing(from: client)
    relay.conduct = .passing
    #expect(try client.readReply() == .simple("PONG"))
  }

  @Test func `either end can be half-closed`() throws {
    let relay = try FaultRelay(to: server.address)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    relay.halfClose(towards: .client)
    #expect(try client.readUntilClosed().isEmpty)
    try client.send(RESPClient.encode(["SET", "k", "v"]))
    try eventually("the other direction goes on") { try server.client().command("EXISTS", "k") == .integer(1) }

    let script = try ScriptedServer { socket in
      while !(try socket.read().isEmpty) {}
      try socket.write(Array("+BYE\r\n".utf8))
    }
    let other = try FaultRelay(to: script.address)
    let listener = try RESPClient(other.address)
    try eventually("the script runs") { script.openCount == 1 }
    other.halfClose(towards: .server)
    #expect(try listener.readReply() == .simple("BYE"))
  }

  @Test func `connections are closed in order or reset`() throws {
    let relay = try FaultRelay(to: server.address, tcp: true)
    let ended = try RESPClient(relay.address)
    #expect(try ended.command("PING") == .simple("PONG"))
    relay.closeConnections()
    #expect(try ended.readUntilClosed().isEmpty)
    let broken = try RESPClient(relay.address)
    #expect(try broken.command("PING") == .simple("PONG"))
    relay.closeConnections(.reset)
    expectReset(broken)
  }

  @Test func `a flapping relay serves and refuses in turn`() throws {
    let relay = try FaultRelay(to: server.address, tcp: true)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    relay.flap(every: .milliseconds(100))
    expectReset(client)
    for _ in 0..<2 {
      try eventually("it serves") { try RESPClient(relay.address).command("PING") == .simple("PONG") }
      try eventually("it refuses") { (try? RESPClient(relay.address)) == nil }
    }
    relay.conduct = .passing
    #expect(try RESPClient(relay.address).command("PING") == .simple("PONG"))
  }

  @Test func `a client whose server is gone is closed`() throws {
    let relay = try FaultRelay(to: server.address)
    let client = try RESPClient(relay.address)
    #expect(try client.command("PING") == .simple("PONG"))
    server.kill()
    #expect(try client.readUntilClosed().isEmpty)
    #expect(try RESPClient(relay.address).readUntilClosed().isEmpty)
  }

  private func expectNothing(from client: RESPClient) {
    let error = #expect(throws: TestSupportError.self) { try client.readReply(within: Self.silence) }
    #expect(error?.code == .timedOut)
  }

  /// An orderly end would be told in other words.
  private func expectReset(_ client: RESPClient) {
    let error = #expect(throws: TestSupportError.self) { try client.readReply() }
    #expect(error?.description.contains("reset by peer") == true, "\(String(describing: error))")
  }
}
