public import Sockets

/// An address that clients connect to.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// The beginning of a value of `listen` whose connections use TLS.
  static let tlsPrefix = "tls:"

  /// The address of the socket.
  public var address: SocketAddress
  /// Whether connections use TLS.
  public var usesTLS = false

  /// Creates an address.
  public init(_ address: SocketAddress, usesTLS: Bool = false) {
    self.address = address
    self.usesTLS = usesTLS
  }

  /// Reads a value of `listen`: `host:port`, `[::1]:port`, `tls:host:port` or `unix:/path`.
  init(_ text: String) throws(ValueMistake) {
    usesTLS = text.hasPrefix(Self.tlsPrefix)
    address = try SocketAddress(listening: usesTLS ? String(text.dropFirst(Self.tlsPrefix.count)) : text)
    if usesTLS, case .unix = address { throw ValueMistake("a unix socket has no TLS; write tls:HOST:PORT") }
  }

  /// As in the configuration.
  public var description: String { usesTLS ? "\(Self.tlsPrefix)\(address)" : "\(address)" }
}
