internal import Glibc

/// The part of a peer's address that connections are bounded by: an IPv4 address, or the /64 network of an IPv6
/// address, which is what one machine is usually given.
enum PeerNetwork: Hashable, Sendable {
  case ipv4(UInt32)
  case ipv6(UInt64)

  /// Reads a socket address; nil for a unix socket, which has none.
  init?(_ address: UnsafePointer<sockaddr>?) {
    guard let address else { return nil }
    let bytes = UnsafeRawPointer(address)
    switch Int32(bytes.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET:
      self = .ipv4(bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr)
    case AF_INET6:
      var address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
      self = withUnsafeBytes(of: &address) { bytes in
        let prefix = bytes.loadUnaligned(as: UInt64.self)
        let isMapped =
          prefix == 0 && bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self) == UInt32(0xffff).bigEndian
        return isMapped ? .ipv4(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)) : .ipv6(prefix)
      }
    default: return nil
    }
  }
}
