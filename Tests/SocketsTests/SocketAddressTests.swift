import Sockets
import Testing

@Suite("Socket addresses")
struct SocketAddressTests {
  @Test(
    "addresses are read and written the same way",
    arguments: [
      ("127.0.0.1:9736", true), ("[::1]:9736", true), (":9736", false), ("localhost:0", true),
      ("unix:/run/a.sock", true),
      ("0.0.0.0:80", false), ("[::]:80", false), ("metrics.example:65535", false), ("127.8.9.10:1", true),
      ("[::ffff:127.0.0.1]:1", true), ("[::ffff:10.0.0.1]:1", false), ("128.0.0.1:1", false),
    ]
  )
  func addresses(text: String, isLocal: Bool) throws {
    let address = try SocketAddress.parse(text)
    #expect(address.description == text)
    #expect(address.isLoopbackOrUnix == isLocal)
  }

  @Test(
    "what is no address is refused with the forms that are",
    arguments: [
      "", "9736", "localhost", "localhost:", "localhost:http", "localhost:65536", "localhost:-1", "::1:9736", "[::1]",
      "[::1:9736", "[localhost]:1", "unix:", "http://127.0.0.1:9737", "a b:1", "localhost:99999999999999999999",
      "unix:/" + String(repeating: "x", count: 107),
    ]
  )
  func badAddresses(text: String) throws {
    let error = #expect(throws: SocketAddressError.self) { try SocketAddress.parse(text) }
    #expect(error?.description.contains("write HOST:PORT, [IPV6]:PORT, :PORT or unix:/path/to/socket") == true)
  }
}
