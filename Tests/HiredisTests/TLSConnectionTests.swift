import EventLoop
import Foundation
import TestSupport
import Testing

@testable import Hiredis
@testable import TLS

/// Connections to real servers with TLS.
@Suite("TLS to a store")
struct TLSConnectionTests {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority
  let harness: Harness

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("stores", in: directory)
    harness = try Harness()
  }

  func client(_ change: (inout TLSClientSettings) -> Void = { _ in }) -> TLSClient {
    var settings = TLSClientSettings()
    settings.authorityFile = authority.certificate
    change(&settings)
    return TLSClient(settings)
  }

  func endpoint(_ port: UInt16, _ client: TLSClient?) -> StoreEndpoint {
    StoreEndpoint(address: .tcp(host: "127.0.0.1", port: Int(port)), tls: client)
  }

  /// Returns the reason of the first failed attempt.
  func firstFailure(_ endpoint: StoreEndpoint, _ limits: ConnectionLimits = .quick) throws -> ConnectionDownReason {
    let connection = harness.connection(to: endpoint, limits)
    harness.run { !harness.downs.isEmpty }
    connection.close()
    return try #require(harness.downs.first)
  }

  @Test(arguments: ["TLSv1.2", "TLSv1.3"])
  func `commands and replies of all sizes pass`(version: String) throws {
    defer { harness.finish() }
    let issued = try authority.issue("server", for: .server)
    let store = try TLSRedis(issued, authority: authority, settings: ["tls-protocols \(version)"])
    // A busy machine takes seconds for the largest.
    let connection = harness.readyConnection(to: endpoint(store.port, client()), ConnectionLimits(commandTimeout: nil))
    let sizes = [1, 5_000, 16_384, 70_000, 1_000_000, 20_000_000]
    for (index, size) in sizes.enumerated() {
      harness.send("SET", "key:\(index)", String(repeating: "x", count: size), on: connection)
      harness.send("GET", "key:\(index)", on: connection)
    }
    harness.run { harness.outcomes.count == 2 * sizes.count }
    for (index, size) in sizes.enumerated() {
      #expect(harness.outcomes[2 * index].outcome == .reply("+OK\r\n"))
      let expected = Outcome.reply("$\(size)\r\n\(String(repeating: "x", count: size))\r\n")
      #expect(harness.outcomes[2 * index + 1].outcome == expected, "of \(size) bytes")
    }
    connection.close()
  }

  @Test func `a deep pipeline keeps its order`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let connection = harness.readyConnection(to: endpoint(store.port, client()))
    let count = 20_000
    for token in 0..<count { harness.send("ECHO", "\(token)", on: connection, token: token) }
    harness.run { harness.outcomes.count == count }
    #expect(harness.outcomes.map(\.token) == Array(0..<count))
    #expect(harness.outcomes.last?.outcome == .reply("$5\r\n19999\r\n"))
    connection.close()
  }

  /// The server reads each record by itself: one with the rest of a command would cost as much as a full one.
  @Test func `records are full, and end with a command`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let connection = harness.readyConnection(to: endpoint(store.port, client()))
    let direct = try store.redis.client()
    let reads = {
      let statistics = try direct.command("INFO", "stats").string ?? ""
      return Int(statistics.firstMatch(of: /total_reads_processed:([0-9]+)/)?.1 ?? "") ?? 0
    }
    let before = try reads()
    // Of 20 bytes each, so that a record has 819.
    for token in 0..<4_000 { harness.send("GET", "k", on: connection, token: token) }
    harness.run { harness.outcomes.count == 4_000 }
    // Five records, and the question itself.
    #expect(try reads() - before == 6)
    connection.close()
  }

  @Test func `the handshakes of later connections are shorter`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let shared = client()
    for _ in 0..<3 {
      let connection = harness.readyConnection(to: endpoint(store.port, shared))
      connection.close()
    }
    let statistics = shared.statistics
    #expect(statistics.handshakes == 3)
    #expect(statistics.resumptions == 2)
    #expect(statistics.last?.version == "TLS1.3")
    #expect(statistics.failures.isEmpty)
  }

  @Test func `the store's certificate is verified`() throws {
    defer { harness.finish() }
    let expired = try TLSRedis(authority.issue("expired", for: .server, days: -1), authority: authority)
    let failure = try firstFailure(endpoint(expired.port, client()))
    #expect(failure.kind == .tlsFailed)
    #expect(failure.description.hasPrefix("TLS failed: the certificate, or that of its authority, has expired"))
  }

  @Test func `a failure is counted by its reason, and the next attempt is not made at once`() throws {
    defer { harness.finish() }
    let issued = try authority.issue("other", for: .server, names: ["DNS:cache.example.com"])
    let store = try TLSRedis(issued, authority: authority)
    let shared = client()
    let failure = try firstFailure(endpoint(store.port, shared))
    #expect(failure.detail == "the certificate is for cache.example.com, not 127.0.0.1; set tls.server_name")
    #expect(failure.retryDelay >= .seconds(1))
    #expect(shared.statistics.failures == [.name: 1])
    let connection = harness.readyConnection(to: endpoint(store.port, client { $0.serverName = "cache.example.com" }))
    connection.close()
  }

  @Test(arguments: ["TLSv1.2", "TLSv1.3"])
  func `a store that requires a certificate says so, and gets one`(version: String) throws {
    defer { harness.finish() }
    let issued = try authority.issue("server", for: .server)
    let settings = ["tls-protocols \(version)"]
    let store = try TLSRedis(issued, authority: authority, clients: .required, settings: settings)
    let failure = try firstFailure(endpoint(store.port, client()))
    // In TLS 1.3 the server's alert may be lost with its reset.
    let mayBeLost = version == "TLSv1.3" && failure.detail.contains("the store may require a certificate")
    #expect(mayBeLost || failure.kind == .tlsFailed && failure.detail.contains("requires a certificate"), "\(failure)")
    let own = try authority.issue("client", for: .client)
    let client = client {
      $0.certificateFile = own.certificate
      $0.keyFile = own.key
    }
    let connection = harness.readyConnection(to: endpoint(store.port, client))
    connection.close()
  }

  @Test func `a plain port is recognized`() throws {
    defer { harness.finish() }
    let redis = try RedisServer(tcp: true)
    let limits = ConnectionLimits(connectTimeout: .seconds(1), backoffBase: .milliseconds(2))
    let failure = try firstFailure(endpoint(try #require(redis.port), client()), limits)
    #expect(failure.description.contains("port may be one without TLS"), "\(failure)")
  }

  @Test func `a port with TLS is recognized`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let failure = try firstFailure(endpoint(store.port, nil))
    #expect(failure.description.contains("TLS"), "\(failure)")
  }

  @Test func `files that can't be used fail the attempt, until they can`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let file = directory.path("late.pem")
    let connection = harness.connection(to: endpoint(store.port, client { $0.authorityFile = file }))
    harness.run { !harness.downs.isEmpty }
    #expect(harness.downs[0].description == "TLS failed: cannot read \(file): No such file or directory")
    try FileManager.default.copyItem(atPath: authority.certificate, toPath: file)
    harness.run { connection.isReady }
    connection.close()
  }

  @Test func `a handshake without an answer has the connect timeout`() throws {
    defer { harness.finish() }
    let server = try ScriptedServer(tcp: true) { socket in _ = try socket.readToEnd() }
    guard case .port(let port) = server.address else { return }
    let failure = try firstFailure(endpoint(port, client()), ConnectionLimits(connectTimeout: .milliseconds(200)))
    #expect(failure.kind == .timedOut)
    #expect(failure.detail == "no TLS handshake within 0.2 seconds; the port may be one without TLS")
  }

  @Test func `a connection that the store closes is made again`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let connection = harness.readyConnection(to: endpoint(store.port, client()))
    #expect(try store.redis.client().command("CLIENT", "KILL", "TYPE", "normal").errorText == nil)
    harness.run { harness.idleCloses.count == 1 }
    #expect(harness.idleCloses == ["the store closed the connection"])
    harness.run { connection.isReady }
    harness.send("PING", on: connection)
    harness.run { harness.outcomes.count == 1 }
    #expect(harness.outcomes[0].outcome == .reply("+PONG\r\n"))
    connection.close()
  }

  @Test func `records that were changed on their way end the connection, and no reply comes from them`() throws {
    defer { harness.finish() }
    let store = try TLSRedis(authority.issue("server", for: .server), authority: authority)
    let target = TestSupport.SocketAddress.port(store.port)
    // The relay passes the handshake on, and changes a bit of what follows.
    let relay = try ScriptedServer(tcp: true) { front in
      let back = try Socket(connectingTo: target)
      let deadline = ContinuousClock.now + waitLimit
      var passed = 0
      while true {
        if let bytes = try front.readAvailable() {
          if bytes.isEmpty { return }
          try back.write(bytes)
        }
        if var bytes = try back.readAvailable() {
          if bytes.isEmpty { return }
          if passed > 8_000 { bytes[bytes.count - 1] ^= 1 }
          passed += bytes.count
          try front.write(bytes)
        }
        _ = back.wait(for: Int16(POLLIN), until: min(deadline, ContinuousClock.now + .milliseconds(2)))
      }
    }
    guard case .port(let port) = relay.address else { return }
    let connection = harness.readyConnection(to: endpoint(port, client()))
    try store.redis.client().command("SET", "key", String(repeating: "v", count: 10_000))
    harness.send("GET", "key", on: connection)
    harness.run { harness.outcomes.count == 1 }
    let first = harness.outcomes[0].outcome
    harness.send("GET", "key", on: connection)
    harness.run { harness.outcomes.count == 2 }
    for outcome in [first, harness.outcomes[1].outcome] {
      if case .reply(let text) = outcome { #expect(text == "$10000\r\n\(String(repeating: "v", count: 10_000))\r\n") }
    }
    #expect(harness.downs.first?.detail.contains("damaged data") == true, "\(harness.downs)")
    connection.close()
  }
}
