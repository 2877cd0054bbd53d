import Foundation
import HTTPTestSupport
import Sockets
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite("HTTP server")
struct HTTPServerTests {
  @Test("GET is answered with status, type, length and the headers that every response has")
  func get() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    let answer = try server.curl("/hello")
    #expect(answer.status == 200)
    #expect(answer.text == "Hello.\n")
    #expect(answer.header("Content-Type") == "text/plain; charset=utf-8")
    #expect(answer.header("Content-Length") == "7")
    #expect(answer.header("X-Content-Type-Options") == "nosniff")
    #expect(answer.header("Cache-Control") == "no-store")
    #expect(server.statistics.answeredRequests == 1)
  }

  @Test("HEAD has GET's headers and no body")
  func head() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    let answer = try server.curl("/hello", "--head")
    #expect(answer.status == 200)
    #expect(answer.header("Content-Length") == "7")
    let whole = try server.raw("HEAD /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    #expect(whole.hasSuffix("\r\n\r\n"))
  }

  @Test("a connection is used for the next request")
  func keepAlive() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    let address = "http://\(server.boundAddress)/hello"
    let outcome = try ChildProcess.run(
      "curl",
      ["-sS", "-w", "%{num_connects}\\n", "-o", "/dev/null", address, "-o", "/dev/null", address]
    )
    #expect(outcome.exit == .status(0))
    #expect(outcome.output == "1\n0\n")
  }

  @Test("query, path, form and headers reach the handler decoded")
  func decoding() throws {
    let route = HTTPRoute([.post], "/api/{name}") { request in
      let fields = (request.query + request.form).map { "\($0.name)=\($0.value)" }.joined(separator: "|")
      return .text("\(request.path)|\(request.pathParameter ?? "")|\(fields)|\(request.header("x-ONE") ?? "")")
    }
    let server = try HTTPServer.onLoopback([route])
    let answer = try server.curl(
      "/api/a%2Fb%20%C3%A4?q=1+2%2B3&empty=&none",
      "-d",
      "form=%26%3d&plus=a+b",
      "-H",
      "X-One: first",
      "-H",
      "X-One: second"
    )
    #expect(answer.text == "/api/a/b ä|a/b ä|q=1 2+3|empty=|none=|form=&=|plus=a b|first, second\n")
  }

  @Test("percent-encoding that says nothing is refused", arguments: ["q=%zz", "q=%", "q=%ff", "q=%00"])
  func badEncoding(query: String) throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    #expect(try server.curl("/hello?\(query)").status == 400)
  }

  @Test("an encoded zero does not cut a path short")
  func encodedZero() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    #expect(try server.curl("/hello%00").status == 404)
    #expect(try server.curl("/hell%6f").status == 200)
  }

  @Test("another path is answered with the paths that there are")
  func notFound() throws {
    let server = try HTTPServer.onLoopback([textRoute("/one", "1"), textRoute("/two/{name}", "2")])
    let answer = try server.curl("/three?x=<script>")
    #expect(answer.status == 404)
    #expect(answer.text == "Nothing is here. Known paths: /one /two/{name}\n")
    #expect(try server.curl("/two/a/b").status == 404)
    #expect(try server.curl("/two/").status == 404)
  }

  @Test("another method is answered with the ones that the path takes", arguments: ["POST", "PUT", "OPTIONS", "BREW"])
  func methodNotAllowed(method: String) throws {
    let routes = [textRoute("/one", "1"), HTTPRoute([.delete], "/one") { _ in .noContent }]
    let server = try HTTPServer.onLoopback(routes)
    let answer = try server.curl("/one", "-X", method)
    #expect(answer.status == 405)
    #expect(answer.header("Allow") == "GET, HEAD, DELETE")
  }

  @Test("a body over the limit is answered with 413, with a length, in chunks, or far too long")
  func bodyTooLarge() throws {
    let route = HTTPRoute([.post], "/body") { .text("\($0.body.count)") }
    let server = try HTTPServer.onLoopback([route], limits: HTTPLimits(maximumBodyBytes: 1000))
    let folder = try TemporaryDirectory()
    let file = folder.path("body")
    for (count, status) in [(0, 200), (1000, 200), (1001, 413), (16000, 413), (5_000_000, 413)] {
      try Data(repeating: 0x78, count: count).write(to: URL(fileURLWithPath: file))
      // By default curl sends a large body if it is not told to within a second.
      let answer = try server.curl("/body", "--data-binary", "@\(file)", "--expect100-timeout", "20")
      #expect(answer.status == status, "\(count) bytes")
      if status == 200 { #expect(answer.text == "\(count)\n") }
      if count <= 16000 {
        let chunked = try server.curl("/body", "--data-binary", "@\(file)", "-H", "Transfer-Encoding: chunked")
        #expect(chunked.status == status, "\(count) bytes in chunks")
      }
    }
    #expect(server.statistics.oversizedBodies == 5)
    // A body without a length that goes on and on is cut off.
    try Data(repeating: 0x78, count: 5_000_000).write(to: URL(fileURLWithPath: file))
    let endless = try server.curl("/body", "--data-binary", "@\(file)", "-H", "Transfer-Encoding: chunked")
    #expect(endless.exit != .status(0))
    #expect(try server.curl("/body", "-d", "x").status == 200)
  }

  @Test("a long body is compressed for clients that ask, and comes back whole")
  func gzip() throws {
    let text = (0..<2000).map { "metric_\($0 % 10)_total \($0)" }.joined(separator: "\n")
    let server = try HTTPServer.onLoopback([textRoute("/long", text), textRoute("/short", "Short.")])
    let plain = try server.curl("/long")
    #expect(plain.text == text + "\n")
    #expect(plain.header("Content-Encoding") == nil)
    #expect(plain.header("Vary") == "Accept-Encoding")

    let compressed = try server.curl("/long", "-H", "Accept-Encoding: deflate, gzip;q=0.5")
    #expect(compressed.header("Content-Encoding") == "gzip")
    #expect(compressed.header("Vary") == "Accept-Encoding")
    #expect(compressed.body.count < plain.body.count / 3)
    #expect(compressed.header("Content-Length") == "\(compressed.body.count)")

    #expect(try server.curl("/long", "--compressed").text == text + "\n")
    #expect(try server.curl("/long", "-H", "Accept-Encoding: gzip;q=0").header("Content-Encoding") == nil)
    #expect(try server.curl("/short", "--compressed").header("Content-Encoding") == nil)
  }

  @Test("a hundred clients at once are all answered")
  func concurrentScrapes() throws {
    let page = String(repeating: "metric_total 1\n", count: 10_000)
    let server = try HTTPServer.onLoopback([textRoute("/metrics", page)])
    let outcome = try ChildProcess.run(
      "curl",
      [
        "-sS", "--max-time", "60", "--parallel", "--parallel-immediate", "--parallel-max", "100", "-o", "/dev/null",
        "-w", "%{http_code} %{size_download}\\n", "-H", "Connection: close",
        "http://\(server.boundAddress)/metrics?[1-100]",
      ]
    )
    #expect(outcome.exit == .status(0))
    // curl prints its progress among the lines that it was asked for.
    let answers = outcome.output.split(whereSeparator: \.isNewline).filter { $0 == "200 150001" }
    #expect(answers.count == 100, "\(outcome)")
    #expect(server.statistics.answeredRequests == 100)
  }

  @Test("a client that has sent half a request keeps nobody waiting")
  func slowClient() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    let slow = try server.connect()
    try slow.write(Array("GET /hello HTTP/1.1\r\nHo".utf8))
    try eventually("the slow client is counted") { server.statistics.openConnections == 1 }
    #expect(try server.curl("/hello").status == 200)
    try slow.write(Array("st: localhost\r\nConnection: close\r\n\r\n".utf8))
    #expect(String(decoding: try slow.readToEnd(), as: UTF8.self).hasSuffix("Hello.\n"))
    try eventually("the slow client is gone") { server.statistics.openConnections == 0 }
  }

  @Test(
    "what is not HTTP is refused, and the next client is served",
    arguments: [
      "\0\u{1}\u{2}garbage\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
      "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n",
      "GET /hello HTTP/1.1\r\n\r\n", "GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
      "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: yyyyyyyyyyyyyyyy\r\n", count: 4000) + "\r\n",
    ]
  )
  func garbage(bytes: String) throws {
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello.")],
      limits: HTTPLimits(requestTimeout: .seconds(1))
    )
    // The server may reset the connection, answer 4xx or 505, or close; it never answers 200.
    let answer = (try? server.raw(bytes)) ?? ""
    #expect(!answer.contains(" 200 "))
    try expectService(server)
  }

  @Test(
    "a request whose end is not clear is refused, and nothing behind it is read",
    arguments: [
      "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5",
      "Content-Length: 5\r\nContent-Length: 50", "Content-Length: 5\r\nContent-Length: 5",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
      "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Content-Length : 5",
      "Transfer-Encoding\t: chunked",
    ],
    ["GET", "POST"]
  )
  func ambiguousEnd(headers: String, method: String) throws {
    let seen = Atomic(0)
    let route = HTTPRoute([.get, .post], "/hello") { _ in
      seen.add(1, ordering: .relaxed)
      return .text("Hello.")
    }
    let server = try HTTPServer.onLoopback([route])
    let hidden = "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    let answer = try server.raw("\(method) /hello HTTP/1.1\r\nHost: a\r\n\(headers)\r\n\r\n\(hidden)")
    #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
    #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answer)")
    #expect(answer.contains("Connection: close"))
    #expect(seen.load(ordering: .relaxed) == 0)
  }

  @Test("random bytes hurt nobody")
  func randomBytes() throws {
    let server = try HTTPServer.onLoopback(
      [textRoute("/hello", "Hello.")],
      limits: HTTPLimits(requestTimeout: .seconds(1))
    )
    for round in 0..<20 {
      let bytes = (0..<(1 + round * 997)).map { _ in UInt8.random(in: 0...255) } + Array("\r\n\r\n".utf8)
      _ = try? server.raw(bytes)
    }
    try expectService(server)
  }

  /// Of a server with a short idle timeout: a client that a busy machine has kept from saying anything for as long is
  /// closed, and asks again.
  private func expectService(_ server: HTTPServer) throws {
    try eventually("it is served") { try server.curl("/hello").status == 200 }
  }

  @Test("descriptors above 1024 are served: a sidecar has thousands of clients")
  func highDescriptors() throws {
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")])
    raiseDescriptorLimit()
    var taken: [Int32] = []
    defer { taken.forEach { close($0) } }
    while (taken.last ?? 0) < 1100 {
      let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
      try #require(descriptor >= 0)
      taken.append(descriptor)
    }
    #expect(try server.raw("GET /hello HTTP/1.0\r\n\r\n").contains("Hello."))
  }

  @Test("the handlers are released with the server")
  func handlersAreReleased() throws {
    final class Witness: Sendable {}
    weak var witness: Witness?
    do {
      let kept = Witness()
      witness = kept
      let route = HTTPRoute([.get], "/hello") { _ in .text("\(type(of: kept))") }
      let server = try HTTPServer.onLoopback([route])
      #expect(try server.curl("/hello").text == "Witness\n")
    }
    #expect(witness == nil)
  }
}
