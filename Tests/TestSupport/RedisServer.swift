internal import Foundation
internal import Synchronization

/// A real Redis or Valkey server of a test's own, on a unix socket in a folder of its own, without persistence.
///
/// It is ready when the initialiser returns, and gone with the object. Any thread may use it.
public final class RedisServer: Sendable {
  /// Which server to run.
  public enum Binary: Sendable {
    /// `redis-server` from PATH.
    case redis
    /// The server of ``ValkeyBinary``.
    case valkey
    /// A program that takes Redis' configuration file.
    case path(String)

    /// Redis and, where it is installed, Valkey.
    public static var present: [Binary] { ValkeyBinary.path == nil ? [.redis] : [.redis, .valkey] }
  }

  /// The folder with socket, configuration and log; a restart keeps it.
  public let directory: TemporaryDirectory
  /// The unix socket's path.
  public let socketPath: String
  /// The TCP port on 127.0.0.1, if one was asked for.
  public let port: UInt16?

  private let executable: String
  private let password: String?
  private let process = Mutex<ChildProcess?>(nil)

  /// Starts a server and waits until it answers.
  ///
  /// - Parameters:
  ///   - password: Password of the default user (`requirepass`).
  ///   - users: Lines of ACL users as `ACL SETUSER` takes them: `"bob on >pw ~* +@all"`.
  ///   - tcp: Whether it also listens on a free port of 127.0.0.1.
  ///   - settings: Further lines of its configuration file; the last line about a setting counts.
  /// - Throws: ``TestSupportError``: `missing` without the program, `process` with the log's text if it doesn't start.
  public init(
    _ binary: Binary = .redis,
    password: String? = nil,
    users: [String] = [],
    tcp: Bool = false,
    settings: [String] = []
  ) throws {
    executable = try Self.executable(of: binary)
    self.password = password
    // SAVE writes through to the disk, which may be so busy that the server does not answer for long.
    directory = try TemporaryDirectory(in: "/dev/shm")
    socketPath = directory.path("redis.sock")
    port = tcp ? try freePort() : nil
    var lines = [
      "port \(port ?? 0)", "bind 127.0.0.1", "unixsocket \(socketPath)", "dir \(directory.path)",
      "logfile \(directory.path("redis.log"))", "save \"\"", "appendonly no", "enable-debug-command yes",
      "daemonize no",
    ]
    if let password { lines.append("requirepass \"\(password)\"") }
    lines += users.map { "user \($0)" }
    lines += settings
    try directory.write(lines.joined(separator: "\n") + "\n", to: "redis.conf")
    try start()
  }

  /// Where its unix socket is.
  public var address: SocketAddress { .unix(socketPath) }

  /// Its unix socket as a URL.
  public var url: String { "unix://\(socketPath)" }

  /// Its port as a URL.
  ///
  /// - Precondition: it was started with `tcp`.
  public var tcpURL: String { "redis://127.0.0.1:\(port!)" }

  /// The server process' number, nil while it is down.
  public var pid: Int32? { process.withLock { $0?.pid } }

  /// What it has logged so far.
  public var log: String {
    ["redis.out", "redis.log"].map { (try? directory.read($0)) ?? "" }.joined()
  }

  /// A new connection to its unix socket, with the password given if there is one.
  public func client(limit: Duration = waitLimit) throws -> RESPClient {
    let client = try RESPClient(address, limit: limit)
    if let password {
      let reply = try client.command("AUTH", password)
      guard reply == .ok else { throw TestSupportError(.process, "AUTH answered \(reply)") }
    }
    return client
  }

  /// Kills it at once, as a crash would; its data is gone.
  public func kill() {
    process.withLock { process in
      process?.kill()
      process = nil
    }
    // A server that crashed leaves its socket behind, where connecting is refused; so does this.
  }

  /// Starts it again on the same socket and port, empty; kills it before if it runs.
  ///
  /// - Throws: ``TestSupportError`` with code `process`.
  public func restart() throws {
    kill()
    try start()
  }

  /// Stops it from answering (SIGSTOP); connections stay, and new ones are still accepted by the kernel.
  public func pause() {
    process.withLock { $0?.signal(SIGSTOP) }
  }

  /// Lets it go on after ``pause()``.
  public func resume() {
    process.withLock { $0?.signal(SIGCONT) }
  }

  private func start() throws {
    // What it says before its log is open, such as what is wrong with its configuration.
    let output = open(directory.path("redis.out"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    defer { close(output) }
    let started = try ChildProcess(executable, [directory.path("redis.conf")], output: output, errors: output)
    process.withLock { $0 = started }
    do {
      try eventually("\(executable) answers on \(socketPath)") {
        guard started.isRunning else { return true }
        let reply = try RESPClient(address, limit: .seconds(1)).command("PING")
        return reply.errorText?.hasPrefix("LOADING") != true
      }
    } catch {
      kill()
      throw TestSupportError(.process, "\(error)\nIts log:\n\(log)")
    }
    if let exit = started.exit {
      throw TestSupportError(.process, "\(executable) ended at its start (\(exit)). Its log:\n\(log)")
    }
  }

  private static func executable(of binary: Binary) throws -> String {
    switch binary {
    case .redis: return "redis-server"
    case .path(let path): return path
    case .valkey:
      guard let path = ValkeyBinary.path else { throw TestSupportError(.missing, ValkeyBinary.missingReason) }
      return path
    }
  }
}
