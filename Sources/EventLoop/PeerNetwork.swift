internal import Glibc

/// The part of a peer's address that clients of one machine have in common.
public enum PeerNetwork: Hashable, Sendable {
  /// An IPv4 address, in network byte order.
  case ipv4(UInt32)
  /// The /64 network of an IPv6 address, which is what one machine is usually given.
  case ipv6(UInt64)
  /// The machine itself, over a unix socket.
  case local

  /// The network of a ``Stream/peer``.
  public init(peer: String) {
    var host = peer.prefix { _ in true }
    if let colon = host.lastIndex(of: ":") { host = host[..<colon] }
    if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
    var bytes: InlineArray<2, UInt64> = [0, 0]
    let family = host.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
    let isAddress = withUnsafeMutableBytes(of: &bytes) { inet_pton(family, String(host), $0.baseAddress) } == 1
    self =
      switch (isAddress, family) {
      case (false, _): .local
      case (_, AF_INET): .ipv4(UInt32(truncatingIfNeeded: UInt64(littleEndian: bytes[0])))
      case _ where bytes[0] == 0 && UInt64(bigEndian: bytes[1]) >> 32 == 0xffff:
        .ipv4(UInt32(truncatingIfNeeded: UInt64(bigEndian: bytes[1])).bigEndian)
      default: .ipv6(bytes[0])
      }
  }
}
