import Testing

@testable import EventLoop

@Suite("Networks of peers")
struct PeerNetworkTests {
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
}
