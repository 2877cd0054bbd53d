import Foundation
import Sockets
import Testing

@Suite("Networks of peers")
struct PeerNetworkTests {
  @Test func `an IPv4 address, wherever it stands, the first half of an IPv6 one, and nothing of a unix socket`() {
    #expect(network("10.0.0.1") == .ipv4(UInt32(0x0a00_0001).bigEndian))
    #expect(network("::ffff:10.0.0.1") == network("10.0.0.1"))
    #expect(network("10.0.0.2") != network("10.0.0.1"))
    #expect(network("2001:db8::1") == network("2001:db8::ffff:0:0:2"))
    #expect(network("2001:db8::1") != network("2001:db8:0:1::1"))
    #expect(network("::1") == .ipv6(0))
    var address = sockaddr()
    address.sa_family = sa_family_t(AF_UNIX)
    #expect(PeerNetwork(&address) == nil)
    #expect(PeerNetwork(nil) == nil)
  }

  @Test(
    arguments: [
      ("127.0.0.1:53211", "127.0.0.1:1", true), ("127.0.0.1:1", "127.0.0.2:1", false),
      ("[2001:db8::1]:1", "[2001:db8:0:0:ffff::2]:9", true), ("[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false),
      ("[::ffff:10.0.0.1]:5", "10.0.0.1:6", true), ("[::ffff:10.0.0.1]:5", "[::ffff:10.0.0.2]:5", false),
      ("[::1]:1", "127.0.0.1:1", false), ("unix:/run/a.sock", "unix:/run/b.sock", true),
      ("unix:/run/a.sock", "127.0.0.1:1", false),
    ]
  )
  func `peers of one machine have one`(first: String, second: String, areSame: Bool) {
    #expect((PeerNetwork(peer: first) == PeerNetwork(peer: second)) == areSame)
  }

  @Test func `unix sockets are this machine's, and addresses are in network byte order`() {
    #expect(PeerNetwork(peer: "unix:/run/a.sock") == .local)
    #expect(PeerNetwork(peer: "1.2.3.4:5") == .ipv4(UInt32(0x0102_0304).bigEndian))
  }

  private func network(_ host: String) -> PeerNetwork? {
    var storage = sockaddr_storage()
    return withUnsafeMutablePointer(to: &storage) { pointer in
      if host.contains(":") {
        pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          $0.pointee.sin6_family = sa_family_t(AF_INET6)
          inet_pton(AF_INET6, host, &$0.pointee.sin6_addr)
        }
      } else {
        pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          $0.pointee.sin_family = sa_family_t(AF_INET)
          inet_pton(AF_INET, host, &$0.pointee.sin_addr)
        }
      }
      return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { PeerNetwork($0) }
    }
  }
}
