import HTTPTestSupport
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Deadlines of HTTP connections")
struct ConnectionDeadlineTests {
  @Test("a client that says nothing is closed", arguments: ["", "GET /hello HTTP/1.1\r\nHo"])
  func silentClient(start: String) throws {
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello.")],
      limits: HTTPLimits(requestTimeout: .seconds(1))
    )
    // Ends only when the server has closed the connection.
    #expect(!(try server.raw(start)).contains("Hello."))
    #expect(server.connections.closed(.requestTimeout) == 1)
  }

  @Test(
    "a client that drips a byte at a time is closed",
    arguments: [
      HostileConnections.Habit.dripping(after: "G"), .dripping(after: "GET /hello HTTP/1.1\r\nHost: a\r\nX: "),
      .dripping(after: "POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"),
    ]
  )
  func drippingClient(habit: HostileConnections.Habit) throws {
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello.")],
      limits: HTTPLimits(requestTimeout: .seconds(1))
    )
    let start = ContinuousClock.now
    let clients = try HostileConnections(3, to: UInt16(server.port), habit)
    try eventually("they are closed") { clients.closedCount >= 3 }
    #expect(ContinuousClock.now - start > .milliseconds(900))
    #expect(server.connections.closed(.requestTimeout) >= 3)
  }

  @Test("a connection is kept for the next request, and not for ever")
  func idleClient() throws {
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello.")],
      limits: HTTPLimits(requestTimeout: .seconds(20), idleTimeout: .seconds(1))
    )
    let answers = try server.raw(String(repeating: "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 2))
    #expect(answers.split(separator: "Hello.").count == 3)
    #expect(server.connections.closed(.idleTimeout) == 1)
  }

  @Test("a client that does not read its answer is closed")
  func slowReader() throws {
    let page = String(repeating: "metric_total 1\n", count: 100_000)
    let server = try HTTPServer.onLoopback(
      [textRoute("/metrics", page)],
      limits: HTTPLimits(responseTimeout: .seconds(1))
    )
    let client = try Socket(connectingTo: .port(UInt16(server.port)), receiveBuffer: 4096)
    try client.write(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    try eventually("it is closed") { server.connections.closed(.responseTimeout) == 1 && server.connections.open == 0 }
    // What was on its way is thrown away, and the client sees that the answer was broken off.
    let end = Result { while try !client.read().isEmpty {} }
    #expect(throws: TestSupportError.self) { try end.get() }
    // On a busy machine curl itself may read too slowly.
    try eventually("one that reads is answered") { try server.curl("/metrics").body.count == page.utf8.count + 1 }
  }

  @Test("answers that nobody reads take no more memory than they may")
  func answerMemory() throws {
    let page = String(repeating: "metric_total 1\n", count: 100_000)
    let server = try HTTPServer.onLoopback(
      [textRoute("/metrics", page)],
      limits: HTTPLimits(maximumAnswerBytes: 5 * page.utf8.count)
    )
    let clients = try (0..<10).map { _ in
      let client = try Socket(connectingTo: .port(UInt16(server.port)), receiveBuffer: 4096)
      try client.write(Array("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
      return client
    }
    try eventually("five are closed") { server.connections.closed(.answerMemory) >= 5 }
    #expect(try server.curl("/metrics").body.count == page.utf8.count + 1)
    try eventually("the others are there") { server.connections.open == 10 - server.connections.closed(.answerMemory) }
    #expect(clients.count == 10)
  }
}
