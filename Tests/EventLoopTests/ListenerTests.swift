import Glibc
import Sockets
import Testing

@testable import EventLoop

@Suite struct ListenerTests {
  @Test func saysThatAnAddressIsInUse() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let listener = try Listener(on: harness.loop, address: .tcp(host: "127.0.0.1", port: 0)) { _ in }
    guard case .tcp("127.0.0.1", let port) = listener.boundAddress, port > 0 else {
      Issue.record("\(listener.boundAddress)")
      return
    }
    let error = #expect(throws: ListenError.self) {
      try Listener(on: harness.loop, address: listener.boundAddress) { _ in }
    }
    #expect(error?.description == "127.0.0.1:\(port): address already in use")
    listener.close()
    try harness.listen(at: listener.boundAddress).close()
  }

  @Test func replacesAStaleSocketButNotALiveOne() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let address = SocketAddress.unix(path: harness.folder + "/socket")
    // A socket that was bound and closed is what a killed process leaves behind.
    close(try ListeningSocket(address, .init(backlog: 1)).release())
    let listener = try harness.listen(at: address)
    let error = #expect(throws: ListenError.self) { try Listener(on: harness.loop, address: address) { _ in } }
    #expect(error?.reason == "address already in use")
    listener.close()
    #expect(access(harness.folder + "/socket", F_OK) != 0, "the socket's file was left behind")
  }

  @Test func sparesWhatIsNotASocket() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let path = harness.folder + "/file"
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    let error = #expect(throws: ListenError.self) {
      try Listener(on: harness.loop, address: .unix(path: path)) { _ in }
    }
    #expect(error?.reason == "there is a file that is not a socket")
    #expect(access(path, F_OK) == 0)
    unlink(path)
  }

  @Test(arguments: [
    (SocketAddress.tcp(host: "no-such-host.invalid", port: 1), "no-such-host.invalid:1: "),
    (.tcp(host: "127.0.0.1", port: 65536), "127.0.0.1:65536: the port is not between 0 and 65535"),
    (.unix(path: "/" + String(repeating: "x", count: 108)), "unix:/xxx"),
    (.unix(path: "/nonexistent/socket"), "unix:/nonexistent/socket: no such file or directory"),
  ])
  func saysWhyItCannotListen(address: SocketAddress, expected: String) throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let error = #expect(throws: ListenError.self) { try Listener(on: harness.loop, address: address) { _ in } }
    #expect(error?.description.hasPrefix(expected) == true, "\(String(describing: error))")
  }

  @Test func acceptsManyAtOnce() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let clients = RecordingDelegate()
    var accepted = 0
    let listener = try Listener(on: harness.loop, address: .tcp(host: "127.0.0.1", port: 0)) { stream in
      accepted += 1
      stream.delegate = clients
      if accepted == 200 { harness.loop.stop() }
    }
    let sockets = try (0..<200).map { _ in try connectSocket(to: listener.boundAddress) }
    harness.run()
    #expect(accepted == 200)
    #expect(listener.acceptFailures == 0)
    listener.close()
    for fd in sockets { close(fd) }
  }
}
