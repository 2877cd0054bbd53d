import Foundation
import HTTPTestSupport
import Sockets
import TLS
import TestSupport
import Testing

@testable import HTTPServer

/// An authority and a server's certificate in a folder of their own.
private struct Fixture {
  let directory: TemporaryDirectory
  let authority: CertificateAuthority
  let server: CertificateAuthority.Certificate

  init() throws {
    directory = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: directory)
    server = try authority.issue("server", for: .server)
  }

  func settings(_ change: (inout TLSSettings) -> Void = { _ in }) throws -> TLSSettings {
    var settings = try TLSSettings(certificate: bytes(server.certificate), key: bytes(server.key))
    change(&settings)
    return settings
  }

  func access(_ change: (inout TLSSettings) -> Void = { _ in }) throws -> HTTPAccess {
    HTTPAccess(tls: try TLSCredentials(settings(change)))
  }

  func listen(_ change: (inout TLSSettings) -> Void = { _ in }) throws -> HTTPServer {
    let probe = HTTPRoute([.get], "/probe", requiresAuthorization: false) { _ in .text("Well.") }
    return try .onLoopback([textRoute("/hello", "Hello."), probe], access: access(change))
  }

  /// curl's options for a client that trusts the authority, with or without a certificate of its own.
  func client(_ certificate: CertificateAuthority.Certificate? = nil) -> [String] {
    ["--cacert", authority.certificate]
      + (certificate.map { ["--cert", $0.certificate, "--key", $0.key] } ?? [])
  }
}

private func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

/// A handshake of openssl's; true if it came about.
private func handshake(_ server: HTTPServer, _ arguments: [String]) throws -> Bool {
  let fixed = ["s_client", "-connect", "127.0.0.1:\(server.port)"]
  let outcome = try ChildProcess.run("openssl", fixed + arguments)
  return outcome.output.contains("\nServer certificate\n")
}

@Suite("TLS")
struct TLSTests {
  @Test("clients that trust the authority are answered over HTTPS, and plain HTTP is not")
  func https() throws {
    let fixture = try Fixture()
    let server = try fixture.listen()
    #expect(try server.curl("/hello", arguments: fixture.client()).text == "Hello.\n")
    #expect(try server.curl("/hello").exit == .status(60))
    #expect(try ChildProcess.run("curl", ["-sS", "http://\(server.boundAddress)/hello"]).exit != .status(0))
    #expect(try server.curl("/hello", arguments: fixture.client()).status == 200)
  }

  @Test("a long body and many requests of one connection come whole")
  func bodies() throws {
    let fixture = try Fixture()
    let page = String(repeating: "metric_total 1\n", count: 100_000)
    let server = try HTTPServer.onLoopback([textRoute("/metrics", page)], access: fixture.access())
    let arguments = ["-sS", "-o", "/dev/null", "-w", "%{http_code} %{size_download} %{num_connects}\\n"]
    let url = "https://\(server.boundAddress)/metrics?[1-20]"
    let outcome = try ChildProcess.run("curl", arguments + fixture.client() + [url])
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "200 1500001 1")
    #expect(lines.dropFirst() == Array(repeating: "200 1500001 0", count: 19)[...])
  }

  @Test("versions and curves outside of the settings are refused in the handshake")
  func protocols() throws {
    let fixture = try Fixture()
    let both = try fixture.listen()
    #expect(try handshake(both, ["-tls1_2"]))
    #expect(try handshake(both, ["-tls1_3"]))
    #expect(try !handshake(both, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]))
    let new = try fixture.listen { $0.minimumVersion = .tls13 }
    #expect(try !handshake(new, ["-tls1_2"]))
    #expect(try handshake(new, ["-tls1_3"]))
    let old = try fixture.listen { $0.maximumVersion = .tls12 }
    #expect(try handshake(old, ["-tls1_2"]))
    #expect(try !handshake(old, ["-tls1_3"]))
    let curves = try fixture.listen { $0.curves = [.p384, .x25519] }
    #expect(try handshake(curves, ["-curves", "X25519"]))
    #expect(try handshake(curves, ["-curves", "P-384"]))
    #expect(try !handshake(curves, ["-curves", "P-521"]))
  }

  /// What a client with no certificate, one of the authority, one of a stranger, an expired one, and one for servers
  /// gets.
  @Test(
    "clients' certificates count as the policy has it",
    arguments: [
      (TLSSettings.ClientAuthentication.none, [200, 200, 200, 200, 200]),
      (.request, [200, 200, 200, 200, 200]),
      (.requireAny, [403, 200, 200, 200, 200]),
      (.verifyIfGiven, [200, 200, 403, 403, 403]),
      (.requireAndVerify, [403, 200, 403, 403, 403]),
    ]
  )
  func clientCertificates(policy: TLSSettings.ClientAuthentication, expected: [Int]) throws {
    let fixture = try Fixture()
    let stranger = try CertificateAuthority("stranger", in: fixture.directory)
    let clients = [
      nil,
      try fixture.authority.issue("client", for: .client),
      try stranger.issue("strange", for: .client),
      try fixture.authority.issue("expired", for: .client, days: -1),
      try fixture.authority.issue("other-server", for: .server),
    ]
    // TLS 1.2 and 1.3 show a client's certificate at different moments.
    for version in [TLSSettings.Version.tls12, .tls13] {
      let server = try fixture.listen {
        $0.clientAuthentication = policy
        $0.clientAuthorities = policy.isVerified ? try? bytes(fixture.authority.certificate) : nil
        $0.minimumVersion = version
        $0.maximumVersion = version
      }
      let statuses = try clients.map { try server.curl("/hello", arguments: fixture.client($0)).status }
      #expect(statuses == expected, "\(policy) with \(version)")
      #expect(try server.curl("/probe", arguments: fixture.client()).status == 200)
    }
  }

  @Test("a refusal says what is wrong with the certificate, and ends the connection")
  func refusalWords() throws {
    let fixture = try Fixture()
    let stranger = try CertificateAuthority("stranger", in: fixture.directory).issue("strange", for: .client)
    let server = try fixture.listen {
      $0.clientAuthentication = .requireAndVerify
      $0.clientAuthorities = try? bytes(fixture.authority.certificate)
    }
    let without = try server.curl("/hello", arguments: fixture.client())
    #expect(without.text == "This needs a client certificate.\n")
    #expect(without.header("Connection") == "close")
    let strange = try server.curl("/hello", arguments: fixture.client(stranger))
    #expect(strange.text.hasPrefix("The client certificate is not accepted: The certificate is NOT trusted."))
    #expect(server.statistics.deniedRequests == 2)
  }

  @Test(
    "one of the names has to be allowed, whatever its kind",
    arguments: [
      ("prometheus.example", true), ("ops@example.org", true), ("spiffe://cluster/ns/monitoring", true),
      ("10.1.2.3", true), ("2001:db8::1", true), ("example", false), ("prometheus.example.org", false), ("", false),
    ]
  )
  func allowedNames(name: String, isAllowed: Bool) throws {
    let fixture = try Fixture()
    let client = try fixture.authority.issue(
      "client",
      for: .client,
      names: [
        "DNS:prometheus.example", "email:ops@example.org", "URI:spiffe://cluster/ns/monitoring", "IP:10.1.2.3",
        "IP:2001:db8::1",
      ]
    )
    let server = try fixture.listen {
      $0.clientAuthentication = .requireAndVerify
      $0.clientAuthorities = try? bytes(fixture.authority.certificate)
      $0.allowedClientNames = ["another.example", name]
    }
    let answer = try server.curl("/hello", arguments: fixture.client(client))
    #expect(answer.status == (isAllowed ? 200 : 403))
    if !isAllowed { #expect(answer.text == "The client certificate has none of the names that are allowed here.\n") }
  }

  @Test("new settings hold for the next handshake and the next request, and nobody is disconnected")
  func rotation() throws {
    let fixture = try Fixture()
    let client = try fixture.authority.issue("client", for: .client)
    let authorities = try bytes(fixture.authority.certificate)
    let server = try fixture.listen {
      $0.clientAuthentication = .requireAndVerify
      $0.clientAuthorities = authorities
    }
    // An open connection of openssl's, which sends what it is given line by line.
    let open = try TLSConnection(to: UInt16(server.port), as: client)
    #expect(try open.get("/hello").hasPrefix("HTTP/1.1 200"))

    let newAuthority = try CertificateAuthority("new", in: fixture.directory)
    let newServer = try newAuthority.issue("new-server", for: .server)
    var settings = try TLSSettings(certificate: bytes(newServer.certificate), key: bytes(newServer.key))
    settings.clientAuthentication = .requireAndVerify
    settings.clientAuthorities = authorities
    server.apply(HTTPAccess(tls: try TLSCredentials(settings)))
    #expect(try open.get("/hello").hasPrefix("HTTP/1.1 200"))
    #expect(try server.curl("/hello", arguments: fixture.client(client)).exit == .status(60))
    let trusting = ["--cacert", newAuthority.certificate, "--cert", client.certificate, "--key", client.key]
    #expect(try server.curl("/hello", arguments: trusting).status == 200)

    // An authority that is taken away counts at once.
    settings.clientAuthorities = try bytes(newAuthority.certificate)
    server.apply(HTTPAccess(tls: try TLSCredentials(settings)))
    #expect(try open.get("/hello").hasPrefix("HTTP/1.1 403"))
    #expect(try server.curl("/hello", arguments: trusting).status == 403)
  }

  @Test("settings that cannot be used are refused with the part that is wrong")
  func mistakes() throws {
    let fixture = try Fixture()
    let other = try fixture.authority.issue("other", for: .server)
    let encrypted = fixture.directory.path("encrypted.key")
    let pkey = ["pkey", "-in", fixture.server.key, "-aes256", "-passout", "pass:word", "-out", encrypted]
    #expect(try ChildProcess.run("openssl", pkey).exit == .status(0))
    let changes: [(String, TLSSettingsError.Part, (inout TLSSettings) throws -> Void)] = [
      ("no certificate in PEM", .certificate, { $0.certificate = Array("hello".utf8) }),
      ("no certificate in PEM", .certificate, { $0.certificate = $0.key }),
      ("no private key in PEM", .key, { $0.key = $0.certificate }),
      ("does not belong to the certificate", .key, { $0.key = try bytes(other.key) }),
      ("is encrypted", .key, { $0.key = try bytes(encrypted) }),
      ("no certificate in PEM", .clientAuthorities, { $0.clientAuthorities = [] }),
    ]
    for (words, part, change) in changes {
      var settings = try fixture.settings()
      try change(&settings)
      let error = #expect(throws: TLSSettingsError.self) { try TLSCredentials(settings) }
      #expect(error?.part == part)
      #expect(error?.reason.contains(words) == true, "\(words): \(String(describing: error))")
    }
  }

  @Test("a key is not printed")
  func redaction() throws {
    let settings = try Fixture().settings()
    var dumped = ""
    dump(settings, to: &dumped)
    #expect(!"\(settings)\(dumped)\(String(reflecting: settings))".contains("\(settings.key[0..<8])"))
  }
}
