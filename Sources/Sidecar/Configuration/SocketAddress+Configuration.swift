internal import Sockets

// Addresses as the configuration has them: absolute paths, no empty host, and the default port of a URL.

extension SocketAddress {
  /// Reads a value of `listen`: `host:port`, `[::1]:port` or `unix:/path`.
  init(listening text: String) throws(ValueMistake) {
    if let path = Self.socketPath(of: text) {
      self = try .unix(absolutePath: path)
    } else if text.contains("://") {
      throw ValueMistake("expected an address such as 127.0.0.1:6400 or unix:/run/sidecar.sock, not a URL")
    } else {
      self = try .tcp(authority: text, defaultPort: nil, ports: 0...65535)
    }
  }

  /// Returns the address of a unix socket, if its path is valid.
  static func unix(absolutePath path: String) throws(ValueMistake) -> Self {
    guard path.hasPrefix("/") else {
      throw ValueMistake("the path of a unix socket has to be absolute, such as unix:/run/sidecar.sock")
    }
    do {
      return try .unix(checkedPath: path)
    } catch {
      throw ValueMistake(error.reason)
    }
  }

  /// Reads `host[:port]`, with an IPv6 literal in brackets. Without a default the port is required.
  static func tcp(authority: String, defaultPort: Int?, ports: ClosedRange<Int>) throws(ValueMistake) -> Self {
    let (host, port): (String, Int?)
    do {
      (host, port) = try split(authority: authority, ports: ports)
    } catch {
      throw ValueMistake(error.reason)
    }
    guard !host.isEmpty else { throw ValueMistake("the host is missing") }
    guard let port = port ?? defaultPort else {
      throw ValueMistake("the port is missing; expected an address such as 127.0.0.1:6400 or unix:/run/s.sock")
    }
    return .tcp(host: host, port: port)
  }
}
