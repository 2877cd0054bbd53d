import Foundation
import HTTPTestSupport
import Sockets
import Synchronization
import TestSupport
import Testing

@testable import HTTPServer

@Suite("Listening and stopping")
struct ListeningTests {
  @Test("a port that is taken is told with the flag that names another")
  func portInUse() throws {
    let first = try HTTPServer.onLoopback([textRoute("/", "1")])
    let error = #expect(throws: ListenError.self) { try HTTPServer(address: first.boundAddress, routes: []) }
    #expect(error?.kind == .addressInUse)
    #expect(
      error?.message(listener: "metrics listener", flag: "--web.listen-address")
        == "metrics listener \(first.boundAddress): address already in use; stop what listens there, "
        + "or choose another --web.listen-address"
    )
  }

  @Test("an address of another machine and a name that does not resolve are told")
  func addressUnavailable() throws {
    for address in ["192.0.2.1:0", "no-such-host.invalid:0"] {
      let error = #expect(throws: ListenError.self) {
        try HTTPServer(address: .parse(address), routes: [])
      }
      #expect(error?.kind == .addressUnavailable)
    }
  }

  @Test("every interface means IPv4 as well")
  func everyInterface() throws {
    let server = try HTTPServer(address: .parse(":0"), routes: [textRoute("/hello", "Hello.")])
    #expect(try ChildProcess.run("curl", ["-sS", "http://127.0.0.1:\(server.port)/hello"]).output == "Hello.\n")
  }

  @Test("a unix socket is for its owner, and goes when the server stops")
  func unixSocket() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("admin.sock")
    let server = try HTTPServer(address: .unix(path: path), routes: [textRoute("/hello", "Hello.")])
    #expect(try server.curl("/hello").text == "Hello.\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    server.stop()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("a socket file that was left behind is replaced; a live one, and any other file, is not")
  func staleSocket() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("admin.sock")
    do {
      // Bound, listening, and closed without being unlinked: what a killed process leaves.
      let socket = try ListeningSocket(.unix(path: path), .init(backlog: 1))
      _ = socket.boundAddress
    }
    #expect(FileManager.default.fileExists(atPath: path))
    // A program that another test is starting has a copy of the descriptor until it is executed.
    var replacement: HTTPServer?
    try eventually("nobody listens any more") {
      replacement = try HTTPServer(address: .unix(path: path), routes: [textRoute("/hello", "Hello.")])
      return true
    }
    let server = try #require(replacement)
    let live = #expect(throws: ListenError.self) { try HTTPServer(address: .unix(path: path), routes: []) }
    #expect(live?.kind == .addressInUse)
    #expect(try server.curl("/hello").status == 200)

    let plain = folder.path("plain")
    try Data("precious".utf8).write(to: URL(fileURLWithPath: plain))
    let refused = #expect(throws: ListenError.self) { try HTTPServer(address: .unix(path: plain), routes: []) }
    #expect(refused?.kind == .notASocket)
    #expect(FileManager.default.contents(atPath: plain) == Data("precious".utf8))
  }

  @Test("a server does not take away the socket file of the one that came after it")
  func successorKeepsItsFile() throws {
    let folder = try TemporaryDirectory()
    let path = folder.path("admin.sock")
    let old = try HTTPServer(address: .unix(path: path), routes: [])
    try FileManager.default.removeItem(atPath: path)
    let new = try HTTPServer(address: .unix(path: path), routes: [textRoute("/hello", "Hello.")])
    old.stop()
    #expect(try new.curl("/hello").text == "Hello.\n")
  }

  @Test("stopping does not wait for a connection that is kept open, and frees the port")
  func stopWithOpenConnection() throws {
    // Longer than the end is waited for.
    let limits = HTTPLimits(idleTimeout: .seconds(600))
    let server = try HTTPServer.onLoopback([textRoute("/hello", "Hello.")], limits: limits)
    let open = try server.connect()
    try open.write(Array("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    try eventually("the request is answered") { server.statistics.answeredRequests == 1 }
    #expect(server.statistics.openConnections == 1)
    let stopper = Thread { server.stop() }
    stopper.start()
    try eventually("stop returns") { stopper.isFinished }
    #expect(String(decoding: try open.readToEnd(), as: UTF8.self).hasSuffix("Hello.\n"))
    server.stop()
    #expect(server.statistics.openConnections == 0)
    // A program that another test is starting has a copy of the descriptor until it is executed.
    try eventually("the port is free") {
      (try? HTTPServer(address: server.boundAddress, routes: [])) != nil
    }
  }

  @Test("stopping waits for a handler that is running, which may ask for the statistics")
  func stopDuringHandler() throws {
    let entered = Atomic(false)
    let released = Atomic(false)
    let finished = Atomic(false)
    let holder = Mutex<HTTPServer?>(nil)
    let route = HTTPRoute([.get], "/slow") { _ in
      entered.store(true, ordering: .releasing)
      while !released.load(ordering: .acquiring) { sched_yield() }
      let open = holder.withLock { $0 }?.statistics.openConnections ?? -1
      finished.store(true, ordering: .releasing)
      return .text("\(open)")
    }
    let server = try HTTPServer.onLoopback([route])
    holder.withLock { $0 = server }
    let connection = try server.connect()
    try connection.write(Array("GET /slow HTTP/1.0\r\n\r\n".utf8))
    try eventually("the handler is called") { entered.load(ordering: .acquiring) }
    let stopper = Thread { server.stop() }
    stopper.start()
    #expect(throws: TestSupportError.self) {
      try eventually("stop returns too early", within: .milliseconds(50)) { stopper.isFinished }
    }
    released.store(true, ordering: .releasing)
    try eventually("stop returns") { stopper.isFinished }
    let isFinished = finished.load(ordering: .acquiring)
    #expect(isFinished)
    holder.withLock { $0 = nil }
  }
}
