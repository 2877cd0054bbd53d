import EventLoop
import Foundation
import Glibc
import Synchronization

/// A redis-server of its own for a test: on a unix socket in its own folder, gone with the last reference.
final class RedisProcess: @unchecked Sendable {
  // Used by one test, on one thread at a time.
  let folder: String
  let arguments: [String]
  private var process: Process?

  var socketPath: String { folder + "/redis.sock" }
  var address: SocketAddress { .unix(path: socketPath) }

  init(_ arguments: String...) throws {
    var template = Array("/tmp/hiredis-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw HarnessFailure(message: "mkdtemp failed") }
    folder = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    self.arguments = arguments
    try start()
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Starts the server and waits until it listens.
  func start() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["redis-server", "--port", "0", "--unixsocket", socketPath, "--dir", folder, "--save", "", "--daemonize", "no"]
      + ["--enable-debug-command", "yes"] + arguments
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    self.process = process
    let deadline = ContinuousClock.now + .seconds(20)
    while !Self.accepts(socketPath) {
      guard process.isRunning, ContinuousClock.now < deadline else {
        throw HarnessFailure(message: "redis-server does not listen")
      }
      usleep(2_000)
    }
  }

  /// Kills the server without letting it say good-bye.
  func kill() {
    guard let process else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    self.process = nil
    unlink(socketPath)
  }

  /// Stops the server's threads, or lets them go on.
  func signal(_ signal: Int32) {
    if let process { Glibc.kill(process.processIdentifier, signal) }
  }

  private static func accepts(_ path: String) -> Bool {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
      let raw = UnsafeRawPointer($0).assumingMemoryBound(to: sockaddr.self)
      return connect(fd, raw, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
    }
  }
}

struct HarnessFailure: Error {
  var message: String
}
