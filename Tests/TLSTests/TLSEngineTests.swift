import TestSupport
import Testing

@testable import TLS

@Suite("TLS engine")
struct TLSEngineTests {
  let certificates: Certificates

  init() throws {
    certificates = try Certificates()
  }

  func pair(
    _ version: TLSSettings.Version = .tls13,
    _ change: (inout TLSClientSettings) -> Void = { _ in }
  ) throws -> EnginePair {
    try EnginePair(certificates.client(change), certificates.server { $0.maximumVersion = version })
  }

  @Test(arguments: TLSSettings.Version.allCases, [1, 7, 1000, Int.max])
  func `data passes both ways however it is cut`(version: TLSSettings.Version, fragment: Int) throws {
    let pair = try pair(version)
    pair.exchange(fragment: fragment)
    #expect(pair.client.info?.version == (version == .tls12 ? "TLS1.2" : "TLS1.3"))
    #expect(pair.server.info?.cipher == pair.client.info?.cipher)
    let size = fragment == 1 ? 20_000 : 200_000
    let (one, other) = ((0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) }, (0..<size).map { UInt8($0 % 251) })
    pair.client.write(one.span)
    pair.server.write(other.span)
    pair.exchange(fragment: fragment)
    #expect(pair.atServer == one)
    #expect(pair.atClient == other)
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `each side ends its direction with a close-notify`(version: TLSSettings.Version) throws {
    let pair = try pair(version)
    pair.exchange()
    pair.client.write("last")
    pair.client.close()
    #expect(!pair.client.isWritable)
    pair.exchange()
    #expect(pair.atServer == Array("last".utf8))
    #expect(pair.server.peerHasClosed)
    pair.server.transportDidEnd()
    #expect(pair.server.failure == nil, "an end after a close-notify is no failure")
    pair.server.close()
    #expect(pair.server.outputCount > 0)
  }

  @Test func `plaintext is packed into as few records as possible`() throws {
    let pair = try pair()
    pair.exchange()
    pair.client.write([UInt8](repeating: 1, count: 40_000).span)
    let output = pair.client.takeOutput()
    var (records, start) = (0, 0)
    while start < output.count {
      records += 1
      start += 5 + Int(output[start + 3]) << 8 + Int(output[start + 4])
    }
    #expect(records == 3)
    #expect(pair.server.receive(output) == [UInt8](repeating: 1, count: 40_000))
  }

  @Test func `an empty output keeps little memory, and gathers again`() throws {
    let pair = try pair()
    pair.exchange()
    for size in [300_000, 1, 0, 5_000] {
      pair.client.write([UInt8](repeating: 2, count: size).span)
      var received = 0
      while pair.client.outputCount > 0 { received += pair.server.receive(pair.client.takeOutput(limit: 777)).count }
      #expect(received == size)
    }
  }

  @Test func `a receiver may write, and stop the delivery`() throws {
    let pair = try pair()
    pair.exchange()
    pair.client.write("one")
    pair.client.write("two")
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: TLSEngine.recordBytes, alignment: 1)
    defer { scratch.deallocate() }
    var deliveries = 0
    pair.server.receive(pair.client.takeOutput().span, scratch: scratch) { _ in
      deliveries += 1
      pair.server.write("answer")
      pair.server.close()
      return deliveries == 0
    }
    #expect(deliveries == 1)
    pair.exchange()
    #expect(pair.atClient == Array("answer".utf8))
    #expect(pair.client.peerHasClosed)
  }

  @Test func `an end without a close-notify is a failure`() throws {
    let early = try pair()
    early.client.transportDidEnd()
    #expect(early.client.failure?.reason == .closed)
    #expect(early.client.failure?.message.contains("during the TLS handshake") == true)
    let late = try pair()
    late.exchange()
    late.server.write("half")
    let output = late.server.takeOutput()
    #expect(late.client.receive(Array(output.dropLast())) == [])
    late.client.transportDidEnd()
    #expect(late.client.failure?.reason == .closed)
    #expect(!late.client.isWritable)
  }

  @Test(arguments: ["+PONG\r\n", "-ERR unknown command\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\u{0}\u{0}"])
  func `an answer without TLS is recognized`(answer: String) throws {
    let pair = try pair()
    #expect(pair.client.receive(Array(answer.utf8) + [UInt8](repeating: 0x20, count: 64)) == [])
    #expect(pair.client.failure?.reason == .notTLS)
  }

  @Test func `garbage never becomes plaintext`() throws {
    var generator = SystemRandomNumberGenerator()
    for round in 0..<200 {
      let pair = try pair()
      if round % 2 == 0 { pair.exchange() }
      let length = Int.random(in: 0..<600, using: &generator)
      var garbage = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      // Every other one begins like a record, of which random bytes hardly ever have the type and the version.
      if round % 4 < 2 { garbage = [UInt8.random(in: 20...23), 3, 3, 0, UInt8(length % 256)] + garbage }
      #expect(pair.client.receive(garbage) == [], "\(garbage)")
      #expect(pair.server.receive(garbage) == [], "\(garbage)")
      pair.client.transportDidEnd()
      #expect(pair.client.failure != nil)
    }
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a record that was changed is refused`(version: TLSSettings.Version) throws {
    for position in 0..<25 {
      let pair = try pair(version)
      pair.exchange()
      pair.server.write("secret")
      var record = pair.server.takeOutput()
      record[position] ^= 0x10
      #expect(pair.client.receive(record) == [], "byte \(position)")
      pair.client.transportDidEnd()
      #expect(pair.client.failure != nil, "byte \(position)")
    }
  }

  @Test func `versions without overlap are told apart from other failures`() throws {
    let pair = try pair(.tls12) { $0.minimumVersion = .tls13 }
    pair.exchange()
    #expect(pair.client.failure?.reason == .incompatible)
    #expect(pair.server.failure?.reason == .incompatible)
  }
}
