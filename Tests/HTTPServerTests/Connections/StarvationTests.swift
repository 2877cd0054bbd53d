import Foundation
import HTTPTestSupport
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Others in spite of clients that say nothing", .serialized)
struct StarvationTests {
  private static let scrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
  /// Each connection from another one, and all from one.
  private static let crowds = [(1...250).map { "127.0.3.\($0)" }, ["127.0.0.1"]]

  @Test(
    "a request is answered within a second, whatever hundreds of others do",
    arguments: [
      HostileConnections.Habit.silent, .dripping(after: "GET / HTTP/1.1\r\nHost: a\r\nX: "), .asking(scrape),
    ],
    crowds
  )
  func crowd(habit: HostileConnections.Habit, sources: [String]) throws {
    let page = String(repeating: "metric_total 1\n", count: 20_000)
    let rendered = textRoute("/metrics", page)
    let server = try HTTPServer.onLoopback([
      textRoute("/-/healthy", "Healthy."), HTTPRoute([.get], "/metrics", isShared: true, handler: rendered.handler),
    ])
    let crowd = try HostileConnections(400, to: UInt16(server.port), from: sources, habit)
    let end = ContinuousClock.now + .seconds(3)
    var times: [Duration] = []
    var resets = 0
    while ContinuousClock.now < end {
      for path in ["/-/healthy", "/metrics"] {
        let start = ContinuousClock.now
        var answer: String?
        // On a busy machine this thread may wait between connecting and sending until the crowd has pushed it out, as a
        // client that says nothing; it connects again, and the time goes on. If nothing of the request had arrived, the
        // connection is closed without a reset, and the answer is empty.
        while answer == nil, start.duration(to: .now) < .seconds(10) {
          answer = try? server.raw("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
          if answer?.isEmpty != false {
            answer = nil
            resets += 1
          }
        }
        times.append(ContinuousClock.now - start)
        #expect(answer?.hasPrefix("HTTP/1.1 200") == true, "\(path): \(answer?.prefix(100) ?? "")")
      }
    }
    // A machine that is busy with other things may keep one waiting for longer.
    times.sort()
    #expect(times[times.count / 2] < .seconds(1), "\(times.count) requests")
    #expect(times[times.count - 1] < .seconds(10))
    #expect(resets < times.count, "\(resets) resets in \(times.count) requests")
    #expect(server.connections.open <= HTTPLimits().connections)
    #expect(crowd.closedCount > 0)
  }

  @Test("a crowd on one address closes no connection of another's")
  func otherAddress() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    let scraper = try Socket(connectingTo: .port(UInt16(server.port)))
    let request = Array("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
    try scraper.write(request)
    #expect(try scraper.read().count > 0)
    let crowd = try HostileConnections(400, to: UInt16(server.port), from: ["127.0.0.7"], .silent)
    try eventually("some are closed") { server.connections.closed(.addressLimit) > 200 }
    try scraper.write(request)
    #expect(try String(decoding: scraper.read(), as: UTF8.self).hasSuffix("Hello.\n"))
    #expect(server.connections.closed(.connectionLimit) == 0)
    try eventually("the crowd notices") { crowd.closedCount > 0 }
  }

  @Test("requests that are there together share one page, others do not")
  func sharedPages() throws {
    let pages = SharedPages()
    let shared = HTTPRoute([.get], "/metrics", isShared: true) { _ in .noContent }
    let own = HTTPRoute([.get], "/metrics") { _ in .noContent }
    var count = 0
    func ask(_ route: HTTPRoute, _ query: String = "", accept: String = "text/plain", isCompressed: Bool = false) -> Int
    {
      let request = HTTPDispatcher.RawRequest(
        method: "GET",
        escapedPath: "/metrics",
        escapedQuery: [HTTPField(query, "")],
        headers: [HTTPField("Accept", accept)],
        body: [],
        isBodyComplete: true,
        network: nil,
        certificateProblem: nil
      )
      let page = pages.page(for: request, of: route, isCompressed: isCompressed) {
        count += 1
        return HTTPResponse(status: count)
      }
      return page.status
    }
    #expect(ask(shared) == 1)
    #expect(ask(shared) == 1)
    #expect(ask(shared, isCompressed: true) == 2)
    #expect(ask(shared, accept: "text/html") == 3)
    #expect(ask(shared, "q") == 4)
    #expect(ask(own) == 5)
    #expect(ask(shared, "q") == 4)
    pages.removeAll()
    #expect(ask(shared) == 6)
    // No more than a few are kept.
    for number in 0..<20 { _ = ask(shared, "\(number)") }
    #expect(ask(shared, "19") == 27)
  }
}
