internal import Foundation
internal import Synchronization

/// A server that does what a test says, for the faults that no real store can be made to have.
///
/// Each connection runs the test's closure on a thread of its own and is closed when the closure returns. Connections
/// that still run are closed when the object goes.
public final class ScriptedServer: Sendable {
  /// Where it listens.
  public let address: SocketAddress

  private let directory: TemporaryDirectory
  private let listener: ListeningSocket
  private let connections: Connections

  /// The connections that have been accepted, shared with their threads.
  private final class Connections: Sendable {
    let open = Mutex<[ObjectIdentifier: Socket]>([:])
    let acceptedCount = Atomic(0)
  }

  /// Listens and serves.
  ///
  /// - Parameters:
  ///   - tcp: Whether to listen on a free port of 127.0.0.1 rather than on a unix socket.
  ///   - handler: What a connection does; called on the connection's thread. An error it throws ends the connection.
  /// - Throws: ``TestSupportError`` with code `system`.
  public init(tcp: Bool = false, handler: @escaping @Sendable (Socket) throws -> Void) throws {
    directory = try TemporaryDirectory()
    let listener = try ListeningSocket(tcp ? .port(0) : .unix(directory.path("scripted.sock")))
    let connections = Connections()
    self.listener = listener
    self.connections = connections
    address = listener.address
    Thread.detachNewThread {
      while let socket = listener.accept() {
        connections.acceptedCount.add(1, ordering: .relaxed)
        connections.open.withLock { $0[ObjectIdentifier(socket)] = socket }
        Thread.detachNewThread {
          // A handler's error is a connection that ended before the script did, which is for the test to notice.
          try? handler(socket)
          socket.close()
          _ = connections.open.withLock { $0.removeValue(forKey: ObjectIdentifier(socket)) }
        }
      }
    }
  }

  deinit {
    stop()
  }

  /// A URL as store configurations take it.
  public var url: String {
    switch address {
    case .unix(let path): "unix://\(path)"
    case .port(let port): "redis://127.0.0.1:\(port)"
    }
  }

  /// The unix socket's path.
  ///
  /// - Precondition: it listens on one.
  public var socketPath: String {
    guard case .unix(let path) = address else { preconditionFailure("this server listens on a port") }
    return path
  }

  /// Connections accepted so far.
  public var acceptedCount: Int { connections.acceptedCount.load(ordering: .relaxed) }

  /// Connections whose script still runs.
  public var openCount: Int { connections.open.withLock { $0.count } }

  /// Stops listening and closes what is open.
  public func stop() {
    listener.stop()
    for socket in connections.open.withLock({ Array($0.values) }) { socket.close() }
  }
}
