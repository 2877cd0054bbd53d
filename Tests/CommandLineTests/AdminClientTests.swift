import HTTPServer
import HTTPTestSupport
import Sockets
import TestSupport
import Testing

@testable import multistore_exporter

@Suite("Client of the admin API")
struct AdminClientTests {
  private static func echo() -> [HTTPRoute] {
    [
      HTTPRoute([.get, .post, .delete], "/echo/{name}") { request in
        let form = request.form.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        return .text("\(request.method.rawValue) \(request.pathParameter ?? "") \(form)")
      },
      HTTPRoute([.get], "/long") { _ in .text(String(repeating: "x", count: 200_000)) },
      HTTPRoute([.get], "/longer") { _ in .text(String(repeating: "x", count: AdminConnection.maximumAnswerBytes)) },
    ]
  }

  @Test("every method works over TCP and over a unix socket")
  func methods() throws {
    let folder = try TemporaryDirectory()
    for address in [Sockets.SocketAddress.tcp(host: "127.0.0.1", port: 0), .unix(path: folder.path("admin.sock"))] {
      let server = try HTTPServer(address: address, routes: Self.echo())
      let client = AdminClient(address: server.boundAddress)
      #expect(try client.get("/echo/a%20b") == AdminResponse(status: 200, body: "GET a b \n"))
      let form = [HTTPField("value", "tr&ue="), HTTPField("ä", "1+1")]
      #expect(try client.post("/echo/x", form: form) == AdminResponse(status: 200, body: "POST x value=tr&ue=|ä=1+1\n"))
      #expect(try client.get("/nowhere").status == 404)
      #expect(try client.get("/long").body.count == 200_001)
      let endless = #expect(throws: AdminClientError.self) { try client.get("/longer") }
      #expect(endless?.kind == .notTheAdminAPI)
    }
  }

  @Test("an API on every interface is asked on loopback, and takes changes there")
  func everyInterface() throws {
    let server = try HTTPServer(address: .tcp(host: "0.0.0.0", port: 0), routes: Self.echo())
    let client = AdminClient(address: server.boundAddress)
    #expect(try client.post("/echo/x", form: []).status == 200)
  }

  @Test("the token is sent where there is one")
  func token() throws {
    let token = try BearerToken(contentsOfFile: Array("  s3cret-token\n".utf8))
    let server = try HTTPServer.onLoopback(Self.echo(), authorization: token)
    #expect(try AdminClient(address: server.boundAddress, token: token).get("/echo/x").status == 200)
    #expect(try AdminClient(address: server.boundAddress).get("/echo/x").status == 401)
  }

  @Test("nobody there is told with what to do")
  func nobodyListens() throws {
    let folder = try TemporaryDirectory()
    // A port that no program is given by chance, and whose service died out long ago.
    let address = Sockets.SocketAddress.tcp(host: "127.0.0.1", port: 1)
    let refused = #expect(throws: AdminClientError.self) { try AdminClient(address: address).get("/") }
    #expect(
      refused?.message(flag: "--admin.listen-address")
        == "no sidecar can be reached at \(address): connection refused; start it, or name its address with "
        + "--admin.listen-address"
    )
    let missing = #expect(throws: AdminClientError.self) {
      try AdminClient(address: .unix(path: folder.path("none.sock"))).get("/")
    }
    #expect(missing?.kind == .unreachable)
    #expect(missing?.description.hasSuffix("no such file or directory") == true)
  }

  @Test("a listener that never answers is given up in time")
  func timeout() throws {
    // It listens, so connections are made, and never accepts them.
    let silent = try ListeningSocket(.tcp(host: "127.0.0.1", port: 0), .init(backlog: 1))
    let started = ContinuousClock.now
    let client = AdminClient(address: silent.boundAddress, timeout: .milliseconds(200))
    let error = #expect(throws: AdminClientError.self) { try client.get("/") }
    #expect(error?.kind == .timedOut)
    #expect(started.duration(to: .now) < .seconds(10))
  }

  @Test(
    "what is not a whole response is not taken for one",
    arguments: [
      "", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "-ERR unknown command\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "\r\n\r\n",
    ]
  )
  func brokenResponses(text: String) {
    #expect(AdminResponse(parsing: Array(text.utf8)) == nil)
  }

  @Test("a response is taken apart")
  func wholeResponse() {
    let text = "HTTP/1.1 201 Created\r\ncontent-LENGTH:  3 \r\nX: a:b\r\n\r\nabc"
    #expect(AdminResponse(parsing: Array(text.utf8)) == AdminResponse(status: 201, body: "abc"))
    let bare = AdminResponse(parsing: Array("HTTP/1.0 204 No Content\r\n\r\n".utf8))
    #expect(bare == AdminResponse(status: 204, body: ""))
  }
}
