internal import HTTPServer
internal import Logging
internal import Sockets
internal import TLS

/// The HTTP listeners: the web listeners and the admin API's. Confined to the main loop's thread.
final class HTTPListeners {
  private let logger: Logger
  private let limits: HTTPLimits
  private var web: [HTTPServer] = []
  private var admin: HTTPServer?

  /// - Parameter connections: The limit on each listener's open connections.
  init(connections: Int, logger: Logger) {
    self.logger = logger
    limits = HTTPLimits(connections: connections, connectionsPerAddress: max(1, connections / 2))
  }

  /// The listeners' names and their connections, for any thread.
  var connections: [(listener: String, counts: [HTTPConnectionCounts])] {
    [("metrics", web.map(\.connections)), ("admin", [admin].compactMap { $0?.connections })]
  }

  /// Listens on every web address, or on the service manager's sockets, with the same pages.
  func startWeb(
    _ options: SidecarOptions,
    access: HTTPAccess,
    routes: () throws(TelemetryPathError) -> [HTTPRoute]
  ) throws(SidecarStartError) {
    let pages: [HTTPRoute]
    do {
      pages = try routes()
    } catch {
      throw SidecarStartError("--web.telemetry-path: \(error)")
    }
    guard !options.usesSystemdSockets else { return try startActivated(pages, access: access) }
    let flag = "--web.listen-address"
    for text in options.webListenAddresses {
      let address = try Self.address(text, flag: flag)
      web.append(
        try start("metrics", flag: flag) { () throws(ListenError) in
          try HTTPServer(address: address, routes: pages, limits: limits, access: access)
        }
      )
    }
  }

  /// Listens for the admin API.
  func startAdmin(
    _ text: String,
    token: BearerToken?,
    tls: TLSServer?,
    routes: [HTTPRoute]
  ) throws(SidecarStartError) {
    let flag = "--admin.listen-address"
    let address = try Self.adminAddress(text, hasTLS: tls != nil, flag: flag)
    if token == nil, !address.isLoopbackOrUnix {
      throw SidecarStartError(
        "admin listener \(address): any client that reaches this address could change flags; "
          + "set admin.token_file in the configuration, or listen on loopback or a unix socket"
      )
    }
    let access = HTTPAccess(tls: tls, authorization: token.map { .bearer($0) } ?? .none, guardsReads: true)
    admin = try start("admin", flag: flag) { () throws(ListenError) in
      try HTTPServer(address: address, routes: routes, limits: limits, access: access)
    }
  }

  /// Changes the web listeners' requirements on clients; the admin API has its own token.
  func apply(_ access: HTTPAccess) {
    web.forEach { $0.apply(access) }
  }

  func stop() {
    web.forEach { $0.stop() }
    web = []
    admin?.stop()
    admin = nil
  }

  private func startActivated(_ pages: [HTTPRoute], access: HTTPAccess) throws(SidecarStartError) {
    let flag = "--web.systemd-socket"
    let sockets: [ActivatedSocket]
    do {
      sockets = try ActivatedSocket.takeAll()
    } catch {
      throw SidecarStartError("\(flag): \(error); start the sidecar through its socket unit, or without \(flag)")
    }
    for socket in sockets {
      web.append(
        try start("metrics", flag: flag) { () throws(ListenError) in
          try HTTPServer(activated: socket, routes: pages, limits: limits, access: access)
        }
      )
    }
  }

  private func start(
    _ name: String,
    flag: String,
    _ make: () throws(ListenError) -> HTTPServer
  ) throws(SidecarStartError) -> HTTPServer {
    do {
      let server = try make()
      let metadata: Logger.Metadata = [
        "listener": "\(name)", "address": "\(server.boundAddress)", "tls": .stringConvertible(server.usesTLS),
      ]
      logger.notice("listening", metadata: metadata)
      return server
    } catch {
      throw SidecarStartError(error.message(listener: name, flag: flag))
    }
  }

  private static func adminAddress(
    _ text: String,
    hasTLS: Bool,
    flag: String
  ) throws(SidecarStartError) -> SocketAddress {
    let address: AdminAddress
    do {
      address = try AdminAddress(parsing: text)
    } catch {
      throw SidecarStartError("\(flag): \(error)")
    }
    if address.usesTLS, !hasTLS {
      throw SidecarStartError("admin listener \(address): https:// needs admin.tls in the configuration")
    }
    if hasTLS, case .unix = address.socket {
      throw SidecarStartError(
        "admin listener \(address): a unix socket has no TLS; remove admin.tls from the configuration, or listen on "
          + "HOST:PORT with \(flag)"
      )
    }
    return address.socket
  }

  private static func address(_ text: String, flag: String) throws(SidecarStartError) -> SocketAddress {
    do {
      return try SocketAddress.parse(text)
    } catch {
      throw SidecarStartError("\(flag): \(error)")
    }
  }
}
