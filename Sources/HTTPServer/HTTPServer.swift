internal import Glibc
public import Sockets
internal import Synchronization

/// The counts of a server since its start.
package struct HTTPServerStatistics: Sendable, Hashable {
  /// Requests answered, with any status.
  package let answeredRequests: Int
  /// Requests answered with 401 or 403.
  package let deniedRequests: Int
  /// Bodies that were longer than ``HTTPLimits/maximumBodyBytes``.
  package let oversizedBodies: Int
  /// Connections that are open now.
  package let openConnections: Int
}

/// An HTTP/1.1 server on one address, with a thread of its own that reads, calls the handlers and writes.
///
/// It answers HEAD like GET, compresses bodies for clients that accept it, checks authorization, and refuses changes
/// requested by another site's page. Errors are plain sentences. Its methods can be called from any thread but the one
/// that runs its handlers. It is independent of the sidecar's content: routes come from outside.
///
/// Methods and header fields are types of this target: an HTTP library's would add a dependency for an enum of three
/// cases and a pair of strings.
public final class HTTPServer: Sendable {
  /// The address that the server listens on; it has the real port if port 0 was requested.
  public let boundAddress: SocketAddress

  /// Whether it speaks HTTPS instead of HTTP.
  public let usesTLS: Bool

  /// The counts of connections.
  public let connections = HTTPConnectionCounts()

  private let dispatcher: HTTPDispatcher
  private let socketFile: SocketFile?
  private let daemon: Mutex<MicroHTTPDaemon?>

  /// Binds, listens and starts the thread; when it returns, requests are being answered.
  ///
  /// - Parameters:
  ///   - address: The address to listen on. A socket file without a listener is replaced.
  ///   - routes: The routes; the first match answers.
  ///   - limits: The limits on clients.
  ///   - access: The requirements on clients.
  ///   - socketMode: The permissions of a unix socket's file; only the owner may connect unless said otherwise.
  /// - Throws: ``ListenError`` when the address cannot be listened on.
  public convenience init(
    address: SocketAddress,
    routes: [HTTPRoute],
    limits: HTTPLimits = HTTPLimits(),
    access: HTTPAccess = HTTPAccess(),
    socketMode: UInt32 = 0o600
  ) throws(ListenError) {
    let socket = try ListeningSocket(address, Self.options(socketMode: socketMode))
    try self.init(socket: socket, address: address, routes: routes, limits: limits, access: access)
  }

  /// Starts on a socket that the service manager has opened.
  public convenience init(
    activated: ActivatedSocket,
    routes: [HTTPRoute],
    limits: HTTPLimits = HTTPLimits(),
    access: HTTPAccess = HTTPAccess()
  ) throws(ListenError) {
    let socket = ListeningSocket(activated, Self.options(socketMode: nil))
    try self.init(socket: socket, address: activated.address, routes: routes, limits: limits, access: access)
  }

  private init(
    socket: consuming ListeningSocket,
    address: SocketAddress,
    routes: [HTTPRoute],
    limits: HTTPLimits,
    access: HTTPAccess
  ) throws(ListenError) {
    boundAddress = Self.address(address, boundTo: socket.boundAddress)
    socketFile = socket.file
    usesTLS = access.tls != nil
    dispatcher = HTTPDispatcher(
      router: HTTPRouter(routes),
      limits: limits,
      access: access,
      crossSiteGuard: CrossSiteGuard(
        address: boundAddress,
        isAuthenticated: !access.isSentByBrowsers,
        guardsReads: access.guardsReads
      )
    )
    let started = MicroHTTPDaemon(
      listeningOn: socket.release(),
      usesTLS: usesTLS,
      dispatcher: dispatcher,
      counts: connections
    )
    guard let started else {
      throw ListenError(
        .system(code: ENOMEM),
        address: boundAddress,
        reason: "the server's thread could not be started: memory, threads or descriptors are used up"
      )
    }
    daemon = Mutex(started)
  }

  deinit { stop() }

  /// The options of every HTTP listener. Connections wait for one turn of the server at most, so that the backlog
  /// exceeds the connections that many clients open in that time. The send buffer bounds the part of an answer that the
  /// kernel keeps for a client that does not read; the system's default would be megabytes.
  private static func options(socketMode: UInt32?) -> ListeningSocket.Options {
    ListeningSocket.Options(backlog: 1024, socketMode: socketMode, sendBufferBytes: 64 * 1024, isIPv6Only: true)
  }

  /// The requested address with the real port: the host is kept as it was written, since clients name it in `Host`.
  private static func address(_ requested: SocketAddress, boundTo bound: SocketAddress) -> SocketAddress {
    guard case .tcp(let host, _) = requested, case .tcp(_, let port) = bound else { return requested }
    return .tcp(host: host, port: port)
  }

  /// Changes the requirements on clients: for new connections from their handshake on, for every connection from its
  /// next request on. No connection is closed.
  ///
  /// - Precondition: A listener with TLS stays one, and one without stays without.
  public func apply(_ access: HTTPAccess) {
    precondition((access.tls != nil) == usesTLS, "a listener cannot begin or stop to speak TLS")
    dispatcher.access = access
  }

  /// The counts since the start.
  package var statistics: HTTPServerStatistics {
    let counts = dispatcher.counts
    return HTTPServerStatistics(
      answeredRequests: counts.answered,
      deniedRequests: counts.denied,
      oversizedBodies: counts.oversized,
      openConnections: connections.open
    )
  }

  /// Stops listening, closes every connection and waits for the handler that is running.
  ///
  /// A second call does nothing. A handler must not call this, since it would wait for itself.
  public func stop() {
    // Outside the lock, so that the handler that is waited for can still read the statistics.
    guard let running = daemon.withLock({ $0.take() }) else { return }
    running.stop()
    socketFile?.remove()
  }
}
