internal import Foundation

/// Stands between a client and a real server, passes bytes both ways on a thread of its own, and can be made to delay,
/// hold, discard, refuse, close and reset, as networks and sick servers do.
///
/// Gone with the object, open connections included. Any thread may use it. What is set applies when the call returns.
public final class FaultRelay: Sendable {
  /// An end of the relayed connections.
  public enum End: Sendable {
    /// The one that connected to the relay.
    case client
    /// The one that the relay connected to.
    case server
  }

  /// How connections are closed.
  public enum Closing: Sendable {
    /// With an orderly end (FIN) after the bytes that have been written.
    case orderly
    /// With a reset (RST); unix sockets know none and are closed in order.
    case reset
  }

  /// Where it listens.
  public let address: SocketAddress

  private let directory: TemporaryDirectory
  private let loop: RelayLoop

  /// Listens and relays.
  ///
  /// - Parameters:
  ///   - server: The server that connections are relayed to; connected to for each of them.
  ///   - tcp: Whether to listen on a free port of 127.0.0.1 rather than on a unix socket.
  /// - Throws: ``TestSupportError`` with code `system`.
  public init(to server: SocketAddress, tcp: Bool = false) throws {
    directory = try TemporaryDirectory()
    // While the relay refuses connections it does not listen, and the system could use a port of its own choice again.
    let listener = try ListeningSocket(tcp ? .port(freePort()) : .unix(directory.path("relay.sock")))
    address = listener.address
    let loop = try RelayLoop(to: server, listener: listener)
    self.loop = loop
    let thread = Thread { while loop.turn() {} }
    thread.name = "fault relay"
    thread.start()
  }

  deinit {
    loop.change { $0.isStopped = true }
  }

  /// A URL as store configurations take it.
  public var url: String {
    switch address {
    case .unix(let path): "unix://\(path)"
    case .port(let port): "redis://127.0.0.1:\(port)"
    }
  }

  /// How connections and bytes are treated. Setting it ends ``flap(every:)``, and does not concern bytes that have
  /// arrived before.
  ///
  /// - Precondition: When it stops refusing, nothing else has taken its port meanwhile.
  public var conduct: RelayConduct {
    get { loop.change { $0.conduct } }
    set {
      loop.change { core in
        core.flap = nil
        // The relay's thread may not have had the processor since they arrived.
        core.turn()
        core.apply(newValue)
      }
    }
  }

  /// Resets all connections and refuses new ones for a period, passes everything for the next one, and so on.
  public func flap(every period: Duration) {
    loop.change { core in
      core.flap = RelayFlap(period: period, next: .now)
      core.turn()
    }
  }

  /// Closes all connections at both ends.
  public func closeConnections(_ closing: Closing = .orderly) {
    loop.change { $0.closeLinks(closing) }
  }

  /// Ends the streams towards one end of all connections; bytes the other way still pass.
  public func halfClose(towards end: End) {
    loop.change { core in
      for index in core.links.indices { core.links[index].halfClose(towards: end) }
      core.turn()
    }
  }

  /// Connections accepted so far.
  public var acceptedCount: Int { loop.change { $0.acceptedCount } }

  /// Connections that are open.
  public var openCount: Int { loop.change { $0.links.count } }
}
