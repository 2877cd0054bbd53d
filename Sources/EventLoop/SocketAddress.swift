/// Where something listens: a TCP host and port, or the path of a unix socket.
public enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
  /// A name or an IP literal (IPv6 without brackets), and a port from 0 to 65535.
  case tcp(host: String, port: Int)
  /// The path of a unix socket.
  case unix(path: String)

  /// `127.0.0.1:6400`, `[::1]:6400` or `unix:/path`.
  public var description: String {
    switch self {
    case .tcp(let host, let port):
      host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path):
      "unix:\(path)"
    }
  }
}
