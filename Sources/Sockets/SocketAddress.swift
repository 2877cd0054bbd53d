package import Glibc

// Addresses and listening sockets, for the loop's listeners and for the HTTP server's. The two are independent of each
// other: one hands its descriptor to libuv, the other to libmicrohttpd. Neither library can open the sockets of both,
// since libmicrohttpd does not say why a socket could not be opened, and libuv's listening can't be paused when
// descriptors run out. So this target opens them with the C library alone, and both import it.

/// The address that a socket listens on or connects to: a TCP host and port, or the path of a unix socket.
public enum SocketAddress: Hashable, Sendable {
  /// A name or an IP literal (IPv6 without brackets), and a port from 0 to 65535. Port 0 and an empty host are for
  /// listening: any free port, and every interface.
  case tcp(host: String, port: Int)
  /// The path of a unix socket.
  case unix(path: String)

  /// The longest path of a unix socket in bytes: `sun_path` without its terminating zero.
  public static let longestPathBytes = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

  /// Whether only this machine can reach the address: `localhost`, 127.0.0.0/8, `::1` or a unix socket.
  ///
  /// A name other than `localhost` counts as reachable from elsewhere, since it may resolve to any address.
  public var isLoopbackOrUnix: Bool {
    switch self {
    case .unix: true
    case .tcp(let host, _): Self.isLoopback(host: host)
    }
  }

  private static func isLoopback(host: String) -> Bool {
    if host.lowercased() == "localhost" { return true }
    if let address = ipv4Bytes(of: host) { return address[0] == 127 }
    guard let address = ipv6Bytes(of: host) else { return false }
    let mapped = address[..<10].allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
    return mapped ? address[12] == 127 : address[..<15].allSatisfy { $0 == 0 } && address[15] == 1
  }

  /// Whether the text is an IP address and not a name.
  public static func isIPAddress(_ host: String) -> Bool {
    ipv4Bytes(of: host) != nil || isIPv6Address(host)
  }

  /// Whether the text is an IPv6 address without brackets and without a zone.
  static func isIPv6Address(_ host: String) -> Bool { ipv6Bytes(of: host) != nil }

  private static func ipv4Bytes(of host: String) -> [UInt8]? { bytes(of: host, family: AF_INET, count: 4) }

  private static func ipv6Bytes(of host: String) -> [UInt8]? { bytes(of: host, family: AF_INET6, count: 16) }

  private static func bytes(of host: String, family: Int32, count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return inet_pton(family, host, &bytes) == 1 ? bytes : nil
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:6400`, `[::1]:6400` or `unix:/path`; ``parse(_:)`` reads it.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

extension SocketAddress {
  /// Reads a C socket address; nil for a family other than IPv4, IPv6 and unix.
  package init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
    let raw = UnsafeRawPointer(address)
    switch Int32(raw.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET:
      var source = raw.loadUnaligned(as: sockaddr_in.self)
      self = .tcp(host: Self.text(AF_INET, &source.sin_addr), port: Int(UInt16(bigEndian: source.sin_port)))
    case AF_INET6:
      var source = raw.loadUnaligned(as: sockaddr_in6.self)
      self = .tcp(host: Self.text(AF_INET6, &source.sin6_addr), port: Int(UInt16(bigEndian: source.sin6_port)))
    case AF_UNIX:
      let bytes = UnsafeRawBufferPointer(start: raw, count: Int(length)).dropFirst(MemoryLayout<sa_family_t>.size)
      self = .unix(path: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
    default:
      return nil
    }
  }

  /// Returns the address that a socket is bound to; nil if it has none of the three families.
  package static func bound(to descriptor: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      let address = UnsafeMutableRawPointer(storage).assumingMemoryBound(to: sockaddr.self)
      guard getsockname(descriptor, address, &length) == 0 else { return nil }
      return SocketAddress(address, length: length)
    }
  }

  private static func text(_ family: Int32, _ address: UnsafeRawPointer) -> String {
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    inet_ntop(family, address, &text, socklen_t(text.count))
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
