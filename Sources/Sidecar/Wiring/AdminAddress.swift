public import enum Sockets.SocketAddress

/// The address of the admin API: `HOST:PORT`, `unix:PATH`, or `https://HOST:PORT` for one that speaks TLS.
public struct AdminAddress: Sendable, Hashable, CustomStringConvertible {
  private static let scheme = "https://"

  /// The address of its socket.
  public let socket: SocketAddress
  /// Whether it is written with `https://`.
  public let usesTLS: Bool

  /// Reads an address.
  ///
  /// - Throws: ``AdminAddressError`` with a sentence that shows the accepted forms.
  public init(parsing text: String) throws(AdminAddressError) {
    usesTLS = text.hasPrefix(Self.scheme)
    do {
      socket = try SocketAddress.parse(usesTLS ? String(text.dropFirst(Self.scheme.count)) : text)
    } catch {
      let forms = "HOST:PORT, [IPV6]:PORT, :PORT, the same after https://, or unix:/path/to/socket"
      throw AdminAddressError("'\(text)' is not an address of the admin API: \(error.reason); write \(forms)")
    }
    if usesTLS, case .unix = socket { throw AdminAddressError("'\(text)': a unix socket has no TLS; write \(socket)") }
  }

  /// Creates an address.
  public init(_ socket: SocketAddress, usesTLS: Bool = false) {
    self.socket = socket
    self.usesTLS = usesTLS
  }

  /// The address as it is written.
  public var description: String { usesTLS ? "\(Self.scheme)\(socket)" : "\(socket)" }

  /// The host for a client, whose name it verifies; loopback if the address is every interface. Nil for a unix socket.
  public var clientHost: String? {
    guard case .tcp(let host, _) = socket else { return nil }
    return ["", "0.0.0.0", "::"].contains(host) ? "localhost" : host
  }
}

/// A text that is no address of the admin API.
public struct AdminAddressError: Error, Sendable, Hashable, CustomStringConvertible {
  /// One sentence that names the text, the mistake and the accepted forms.
  public let description: String

  init(_ description: String) { self.description = description }
}
