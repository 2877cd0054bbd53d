import Glibc
import TestSupport

/// A redis-server of its own for a test, at an address that the loop understands.
final class RedisProcess: Sendable {
  private let server: RedisServer

  var socketPath: String { server.socketPath }

  init(password: String? = nil, users: [String] = []) throws {
    server = try RedisServer(password: password, users: users)
  }

  /// Starts the server again after ``kill()``, and waits until it listens.
  func start() throws {
    try server.restart()
  }

  /// Kills the server without letting it say good-bye.
  func kill() {
    server.kill()
    unlink(socketPath)
  }

  /// Stops the server's threads, or lets them go on.
  func signal(_ signal: Int32) {
    if signal == SIGSTOP { server.pause() } else { server.resume() }
  }
}

struct HarnessFailure: Error {
  var message: String
}
