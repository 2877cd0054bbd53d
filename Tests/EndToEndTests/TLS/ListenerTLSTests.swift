import Foundation
import TestSupport
import Testing

@Suite("Clients with TLS")
struct ListenerTLSTests {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority
  let store: RedisServer

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("clients", in: directory)
    store = try RedisServer()
  }

  /// A sidecar that listens with TLS on a port of 127.0.0.1, and without on a unix socket and another port.
  struct Door {
    let sidecar: SidecarProcess
    let port: UInt16

    func client() throws -> RESPClient { try sidecar.client(instance: "sessions") }
  }

  /// - Parameters:
  ///   - tls: More keys of `tls`.
  ///   - instance: More lines of the instance.
  func open(_ tls: String = "", instance: [String] = []) throws -> Door {
    let issued = try authority.issue("server", for: .server)
    for (from, name) in [(issued.certificate, "cert.pem"), (issued.key, "key.pem")] { try install(from, name) }
    let more = tls.isEmpty ? "" : ", \(tls)"
    let configuration =
      ([
        "instances:", "  - name: sessions",
        "    listen: [\"unix:\(directory.path("plain.sock"))\", \"tls:127.0.0.1:0\", \"127.0.0.1:0\"]",
        "    tls: { cert_file: cert.pem, key_file: key.pem\(more) }", "    secondary: { url: \"\(store.url)\" }",
      ] + instance.map { "    \($0)" }).joined(separator: "\n") + "\n"
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    return Door(sidecar: sidecar, port: try port("tls:127.0.0.1:", of: sidecar))
  }

  func port(_ prefix: String, of sidecar: SidecarProcess) throws -> UInt16 {
    let line = try sidecar.waitForEvent {
      $0["address"]?.string?.hasPrefix(prefix) == true && $0["listener"]?.string == "instance:sessions"
    }
    return try #require(line["address"]?.string.flatMap { UInt16($0.dropFirst(prefix.count)) })
  }

  func install(_ path: String, _ name: String) throws { try replaceFile(directory.path(name), by: path) }

  /// Runs redis-cli with TLS, and returns what it said.
  func redisCLI(_ port: UInt16, _ options: [String] = [], _ command: [String]) throws -> String {
    let outcome = try ChildProcess.run(
      "redis-cli",
      ["--tls", "-h", "127.0.0.1", "-p", "\(port)", "--cacert", authority.certificate, "--no-auth-warning"]
        + options + command
    )
    return (outcome.output + outcome.errors).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func options(_ certificate: CertificateAuthority.Certificate) -> [String] {
    ["--cert", certificate.certificate, "--key", certificate.key]
  }

  @Test func `everything passes as it does without`() throws {
    let door = try open()
    let tunnel = try TLSTunnel(to: door.port, trusting: authority, in: directory)
    let (secure, plain) = (try tunnel.client(), try door.client())
    for size in [0, 1, 16_383, 16_384, 16_385, 100_000, 5_000_000] {
      let value = String(repeating: "v", count: size)
      try secure.expect(["SET", "k\(size)", value], .ok)
      try plain.expect(["GET", "k\(size)"], .text(value))
      try secure.expect(["GET", "k\(size)"], .text(value))
    }
    let commands = (0..<5_000).map { ["SET", "p\($0)", "\($0)"] } + (0..<5_000).map { ["GET", "p\($0)"] }
    let replies = try secure.pipeline(commands)
    #expect(replies == (0..<5_000).map { _ in .ok } + (0..<5_000).map { .text("\($0)") })
    // Far more than the socket takes at once, to a client that reads late.
    try secure.send((0..<20).flatMap { _ in RESPClient.encode(["GET", "k5000000"]) })
    let many = try secure.readReplies(20)
    #expect(many.allSatisfy { $0.string?.utf8.count == 5_000_000 })
    #expect(try secure.pipeline([["MULTI"], ["INCR", "n"], ["EXEC"]]).last == .array([.integer(1)]))
    let (waiting, subscriber) = (try tunnel.client(), try tunnel.client())
    try waiting.send(RESPClient.encode(["BLPOP", "queue", "0"]))
    #expect(try subscriber.command("SUBSCRIBE", "news") == .array([.text("subscribe"), .text("news"), .integer(1)]))
    try secure.expect(["RPUSH", "queue", "job"], .integer(1))
    #expect(try waiting.readReply() == .array([.text("queue"), .text("job")]))
    try expectNoError(plain.command("PUBLISH", "news", "hello"))
    #expect(try subscriber.readReply() == .array([.text("message"), .text("news"), .text("hello")]))
    #expect(try redisCLI(door.port, [], ["DBSIZE"]) == "5008")
    let metrics = try door.sidecar.metrics()
    #expect(metrics.sum("multistore_listener_tls_handshakes_total") == 4)
    #expect(metrics.sum("multistore_listener_tls_failures_total") == 0)
    #expect(metrics.sum("multistore_listener_certificate_not_after_timestamp_seconds") > Date().timeIntervalSince1970)
  }

  @Test func `certificates change without dropping a client`() throws {
    let door = try open()
    let tunnel = try TLSTunnel(to: door.port, trusting: authority, in: directory)
    let first = try tunnel.client()
    try first.expect(["SET", "k", "v"], .ok)
    let next = try CertificateAuthority("next", in: directory)
    let issued = try next.issue("next-server", for: .server)
    // Certificate and key do not fit for a while: connections are made with those before.
    try install(issued.certificate, "cert.pem")
    #expect(try redisCLI(door.port, [], ["GET", "k"]) == "v")
    #expect(try door.sidecar.metrics().sum("multistore_listener_tls_files_usable") == 0)
    try install(issued.key, "key.pem")
    #expect(try redisCLI(door.port, ["--cacert", next.certificate], ["GET", "k"]) == "v")
    #expect(try redisCLI(door.port, [], ["GET", "k"]).contains("certificate verify failed"))
    #expect(try door.sidecar.metrics().sum("multistore_listener_tls_files_usable") == 1)
    try first.expect(["GET", "k"], .text("v"))
  }

  @Test(arguments: ["request", "require"])
  func `a certificate logs its client in`(policy: String) throws {
    let door = try open(
      "client_ca_file: \(authority.certificate), client_auth: \(policy)",
      instance: ["users:", "  - { name: app, certificate_name: app.example.com }", "  - { name: ops, password: pw }"]
    )
    let app = options(try authority.issue("app", for: .client, names: ["DNS:app.example.com"]))
    let byCommonName = options(try authority.issue("app.example.com", for: .client, names: []))
    let other = options(try authority.issue("other", for: .client))
    let foreign = try CertificateAuthority("x", in: directory)
    let stranger = options(try foreign.issue("app2", for: .client, names: ["DNS:app.example.com"]))
    for options in [app, byCommonName] {
      #expect(try redisCLI(door.port, options, ["CLIENT", "INFO"]).contains("user=app "))
    }
    #expect(try redisCLI(door.port, other, ["GET", "k"]).contains("NOAUTH"))
    #expect(try redisCLI(door.port, other + ["--user", "ops", "--pass", "pw"], ["SET", "k", "v"]) == "OK")
    #expect(try redisCLI(door.port, stranger, ["GET", "k"]).contains("client certificate is not accepted"))
    let without = try redisCLI(door.port, [], ["GET", "k"])
    #expect(without.contains(policy == "require" ? "needs a client certificate" : "NOAUTH"), "\(without)")
    try door.sidecar.waitForEvent { $0.message == "Client refused" && $0["reason"]?.string == "client_certificate" }
    // The clients without TLS are who they were.
    #expect(try door.client().command("GET", "k").errorText?.hasPrefix("NOAUTH") == true)
  }

  /// RESET makes a client again what it was at the beginning.
  @Test func `RESET does not take the certificate's user away`() throws {
    let door = try open(
      "client_ca_file: \(authority.certificate), client_auth: require",
      instance: ["users: [{ name: app, certificate_name: app }]"]
    )
    let own = try authority.issue("app", for: .client)
    let tunnel = try TLSTunnel(to: door.port, trusting: authority, certificate: own, in: directory)
    let client = try tunnel.client()
    try client.expect(["SET", "k", "v"], .ok)
    try client.expect(["RESET"], .simple("RESET"))
    try client.expect(["GET", "k"], .text("v"))
  }

  @Test func `plaintext where TLS is spoken, and the other way round, is answered in words`() throws {
    let door = try open()
    let plain = try RESPClient(.port(door.port))
    #expect(
      try plain.command("PING") == .error("ERR This port speaks TLS: connect with it (rediss://)")
    )
    #expect(throws: TestSupportError.self) { try plain.readReply() }
    try door.sidecar.waitForEvent { $0.message == "Client refused" && $0["reason"]?.string == "not_tls" }
    let port = try port("127.0.0.1:", of: door.sidecar)
    let greeting = try RESPClient(.port(port))
    try greeting.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
    #expect(
      try greeting.readReply()
        == .error("ERR Protocol error: this port does not speak TLS; connect without it")
    )
    #expect(throws: TestSupportError.self) { try greeting.readReply() }
    try door.sidecar.waitForEvent { $0.message == "Client refused" && $0["reason"]?.string == "tls" }
    #expect(!(try redisCLI(port, [], ["PING"])).contains("PONG"))
    let metrics = try door.sidecar.metrics()
    #expect(metrics.sum("multistore_listener_tls_failures_total", ["reason": "not_tls"]) == 1)
  }

  /// They take a place each until then, and the memory of a handshake.
  @Test func `clients that begin a handshake and stop are disconnected`() throws {
    let door = try open("handshake_timeout: 3s")
    let tunnel = try TLSTunnel(to: door.port, trusting: authority, in: directory)
    let closed = {
      try door.sidecar.metrics().sum("multistore_client_connections_closed_total", ["reason": "handshake_timeout"])
    }
    // On a busy machine the tunnel's own handshake may take too long.
    var connected: RESPClient?
    try eventually("a client is connected") {
      let client = try tunnel.client()
      try client.expect(["SET", "k", "v"], .ok)
      connected = client
      return true
    }
    let steady = try #require(connected)
    let before = try closed()
    let silent = try (0..<50).map { _ in try RESPClient(.port(door.port)) }
    // The first bytes of a greeting that announces 500.
    for client in silent.prefix(25) { try client.send([0x16, 0x03, 0x01, 0x01, 0xf4, 0x01, 0x00]) }
    for client in silent { #expect(throws: TestSupportError.self) { try client.readReply() } }
    try eventually("they are counted") { try closed() - before >= 50 }
    try steady.expect(["GET", "k"], .text("v"))
    #expect(try door.sidecar.metrics().sum("multistore_client_connections") == 1)
  }

  @Test func `a sidecar that stops says goodbye in TLS`() throws {
    let door = try open()
    let tunnel = try TLSTunnel(to: door.port, trusting: authority, in: directory)
    let client = try tunnel.client()
    try client.expect(["SET", "k", "v"], .ok)
    try client.send(RESPClient.encode(["BLPOP", "queue", "60"]))
    let direct = try store.client()
    try eventually("the command waits") {
      try direct.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
    door.sidecar.process.signal(SIGTERM)
    #expect(try client.readReply() == .array(nil))
    #expect(throws: TestSupportError.self) { try client.readReply() }
    #expect(try door.sidecar.process.waitForExit() == .status(0))
  }
}
