package import Glibc

/// The part of a peer's address that the clients of one machine share; limits per client are counted by it.
public enum PeerNetwork: Hashable, Sendable {
  /// An IPv4 address, in network byte order.
  case ipv4(UInt32)
  /// The /64 network of an IPv6 address, the usual allocation of one machine.
  case ipv6(UInt64)
  /// This machine, over a unix socket.
  case local

  /// Reads a socket address; nil for a unix socket, which has no network.
  package init?(_ address: UnsafePointer<sockaddr>?) {
    guard let address else { return nil }
    let raw = UnsafeRawPointer(address)
    switch Int32(raw.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET: self = .ipv4(raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr)
    case AF_INET6: self.init(raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
    default: return nil
    }
  }

  /// Reads the description of a ``SocketAddress``; anything but an IP address counts as local.
  public init(peer: String) {
    var host = peer.prefix { _ in true }
    if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    var ipv4 = in_addr()
    var ipv6 = in6_addr()
    if inet_pton(AF_INET, String(host), &ipv4) == 1 {
      self = .ipv4(ipv4.s_addr)
    } else if inet_pton(AF_INET6, String(host), &ipv6) == 1 {
      self.init(ipv6)
    } else {
      self = .local
    }
  }

  /// An IPv4 address that is mapped into IPv6 (RFC 4291 section 2.5.5.2) counts as IPv4.
  private init(_ address: in6_addr) {
    self = withUnsafeBytes(of: address) { bytes in
      let network = bytes.loadUnaligned(as: UInt64.self)
      let isMapped =
        network == 0 && bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self) == UInt32(0xffff).bigEndian
      return isMapped ? .ipv4(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)) : .ipv6(network)
    }
  }
}
