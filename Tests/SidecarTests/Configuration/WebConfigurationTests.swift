import Foundation
import HTTPServer
import TestSupport
import Testing

@testable import Sidecar

/// A folder with an authority, a server's certificate and a place for `web.yml`.
private struct Fixture {
  static let hash = "$2b$04$m9Shvsl7M18OOjGEVZLYF.k2IR6Q/M6lQAoCKAzlZ.omJOkp7dAc2"

  let folder: TemporaryDirectory

  init() throws {
    folder = try TemporaryDirectory()
    let authority = try CertificateAuthority("test", in: folder)
    for name in ["server", "other"] { try setMode(0o600, of: authority.issue(name, for: .server).key) }
  }

  /// What is said about a text, with the folder left out.
  func problems(_ yaml: String) throws -> [String] {
    WebConfiguration.load(file: try folder.write(yaml, to: "web.yml")).problems
      .map { $0.description.replacing("\(folder.path)/", with: "") }
  }

  /// A text with `lines` in its `tls_server_config`.
  static func tls(_ lines: String...) -> String {
    (["tls_server_config:", "  cert_file: server.pem", "  key_file: server.key"] + lines.map { "  \($0)" })
      .joined(separator: "\n")
  }
}

/// Texts with mistakes, and what is said about each.
private let mistakes: [(yaml: String, problems: [String])] = [
  ("", ["web.yml: is empty; write {} for plain HTTP without passwords"]),
  (
    "tls: {}",
    [
      "web.yml:1:1: tls: unknown key; known are tls_server_config, http_server_config, basic_auth_users, "
        + "rate_limit"
    ]
  ),
  ("tls_server_confg: {}", ["web.yml:1:1: tls_server_confg: unknown key; did you mean \"tls_server_config\"?"]),
  (
    "tls_server_config: {}",
    [
      "web.yml:1:20: tls_server_config: \"cert_file\" is missing; expected the path of a PEM file",
      "web.yml:1:20: tls_server_config: \"key_file\" is missing; expected the path of a PEM file",
    ]
  ),
  (
    "tls_server_config:\n  cert_file: nowhere.pem\n  key_file: server.key",
    ["web.yml:2:14: tls_server_config.cert_file: cannot read nowhere.pem: No such file or directory"]
  ),
  (
    "tls_server_config:\n  cert_file: server.pem\n  key_file: other.key",
    ["web.yml:3:13: tls_server_config.key_file: does not belong to the certificate"]
  ),
  (
    "tls_server_config:\n  cert_file: web.yml\n  key_file: server.key",
    ["web.yml:2:14: tls_server_config.cert_file: has no certificate in PEM"]
  ),
  (
    "tls_server_config:\n  cert_file: server.pem\n  cert: x\n  key_file: server.key",
    [
      "web.yml:3:9: tls_server_config.cert: cert_file is there as well; one of them has to go",
      "web.yml:3:9: tls_server_config.cert: has no certificate in PEM",
    ]
  ),
  (
    Fixture.tls("min_version: TLS10"),
    ["web.yml:4:16: tls_server_config.min_version: expected TLS12 or TLS13, found \"TLS10\"; did you mean \"TLS12\"?"]
  ),
  (
    Fixture.tls("min_version: TLS13", "max_version: TLS12"),
    ["web.yml:5:16: tls_server_config.max_version: is older than min_version"]
  ),
  (
    Fixture.tls("cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]"),
    [
      "web.yml:4:3: tls_server_config.cipher_suites: cannot be chosen: GnuTLS has no list of single suites. Leave it "
        + "out for GnuTLS' own choice, or write min_version: TLS13"
    ]
  ),
  (
    Fixture.tls("curve_preferences: [X25519, CurveP255]"),
    [
      "web.yml:4:31: tls_server_config.curve_preferences: expected a list of CurveP256, CurveP384, CurveP521, X25519, "
        + "found \"CurveP255\"; did you mean \"CurveP256\"?"
    ]
  ),
  (
    Fixture.tls("client_auth_type: RequireAndVerifyClientCert"),
    [
      "web.yml:4:21: tls_server_config.client_auth_type: RequireAndVerifyClientCert needs client_ca_file: whose "
        + "certificates are to be accepted?"
    ]
  ),
  (
    Fixture.tls("client_ca_file: test-ca.pem"),
    [
      "web.yml:4:19: tls_server_config.client_ca_file: has no effect with client_auth_type NoClientCert; write "
        + "RequireAndVerifyClientCert"
    ]
  ),
  (
    Fixture.tls("client_auth_type: VerifyClientCertIfGiven", "client_ca_file: server.key"),
    ["web.yml:5:19: tls_server_config.client_ca_file: has no certificate in PEM"]
  ),
  (
    Fixture.tls("client_allowed_sans: [a]"),
    [
      "web.yml:4:24: tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert: a "
        + "client without a certificate has no names"
    ]
  ),
  (
    Fixture.tls("client_auth_type: RequireAnyClientCert", "client_allowed_sans: [a]"),
    [
      "web.yml:5:24: warning: tls_server_config.client_allowed_sans: anybody can make a certificate with these names, "
        + "and RequireAnyClientCert takes it"
    ]
  ),
  (
    "http_server_config: { http2: true, headers: { X-Powered-By: me } }",
    [
      "web.yml:1:30: warning: http_server_config.http2: there is no HTTP/2 here; clients get HTTP/1.1",
      "web.yml:1:47: http_server_config.headers.X-Powered-By: unknown key; known are Content-Security-Policy, "
        + "X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security",
    ]
  ),
  (
    "http_server_config: { headers: { X-Frame-Options: none, Strict-Transport-Security: \"a\\nb\" } }",
    [
      "web.yml:1:51: http_server_config.headers.X-Frame-Options: expected deny or sameorigin, found \"none\"",
      "web.yml:1:84: http_server_config.headers.Strict-Transport-Security: expected one line of ASCII, as a header "
        + "field has it",
      "web.yml:1:84: warning: http_server_config.headers.Strict-Transport-Security: has no effect without "
        + "tls_server_config",
    ]
  ),
  (
    "basic_auth_users:\n  alice: secret\n  a:b: x\n  alice: y",
    [
      "web.yml:2:10: basic_auth_users.alice: is no bcrypt hash; make one with htpasswd -nBC 10 \"\" | tr -d ':\\n'",
      "web.yml:3:3: basic_auth_users: the name of a user has to be text without a colon",
      "web.yml:4:3: basic_auth_users.alice: given twice; it is already in line 2",
    ]
  ),
  (
    "basic_auth_users: { alice: \(Fixture.hash.replacing("$04$", with: "$14$")) }",
    [
      "web.yml:1:28: warning: basic_auth_users.alice: a cost of 14 takes seconds for each password that is not known; "
        + "10 is usual"
    ]
  ),
  ("rate_limit: { interval: 1s }", ["web.yml:1:13: rate_limit.burst: 0 would let no request through"]),
  (
    "rate_limit: { interval: 1, burst: -1 }",
    [
      "web.yml:1:25: rate_limit.interval: expected a duration from 0s to 1h with its unit, such as 250ms, 5s or 2m, "
        + "found \"1\"",
      "web.yml:1:35: rate_limit.burst: expected a whole number from 0 to 1000000, found \"-1\"",
    ]
  ),
]

@Suite("Web configuration")
struct WebConfigurationTests {
  @Test func `every mistake is told with its place and what would be right`() throws {
    let fixture = try Fixture()
    for (yaml, problems) in mistakes {
      #expect(try fixture.problems(yaml) == problems, "\(yaml)")
    }
  }

  @Test func `a configuration with everything in it is good`() throws {
    let fixture = try Fixture()
    let yaml = """
      tls_server_config:
        cert_file: server.pem
        key_file: server.key
        client_auth_type: RequireAndVerifyClientCert
        client_ca_file: test-ca.pem
        client_allowed_sans: [prometheus.example, 10.1.2.3]
        min_version: TLS12
        max_version: TLS13
        curve_preferences: [X25519, CurveP256]
        prefer_server_cipher_suites: false
      http_server_config:
        http2: false
        headers:
          Strict-Transport-Security: max-age=63072000
          X-Frame-Options: deny
      basic_auth_users:
        alice: \(Fixture.hash)
        bob: "\(Fixture.hash)"
      rate_limit: { interval: 100ms, burst: 20 }
      """
    #expect(try fixture.problems(yaml) == [])
    let file = fixture.folder.path("web.yml")
    let configuration = try #require(WebConfiguration.load(file: file).configuration)
    #expect(configuration.users.keys.sorted() == ["alice", "bob"])
    #expect(configuration.headers.map(\.name) == ["X-Frame-Options", "Strict-Transport-Security"])
    #expect(configuration.rateLimit == RateLimit(interval: .milliseconds(100), burst: 20))
    let report = ConfigurationCheck.report(webFile: file)
    let summary = "TLS12 to TLS13 with RequireAndVerifyClientCert, 2 users, 2 headers, a rate limit"
    #expect(report.text == "\(file): OK: \(summary)\n")
    #expect(report.exitCode == 0)
  }

  @Test func `certificate, key and authority can stand in the file itself, and come from the environment`() throws {
    let fixture = try Fixture()
    func block(_ key: String, _ file: String) throws -> String {
      "  \(key): |\n" + (try fixture.folder.read(file)).split(separator: "\n").map { "    \($0)\n" }.joined()
    }
    let inline = try block("cert", "server.pem") + block("key", "server.key") + block("client_ca", "test-ca.pem")
    #expect(
      try fixture.problems("tls_server_config:\n\(inline)  client_auth_type: VerifyClientCertIfGiven") == []
    )
    let text = "tls_server_config: { cert_file: \"${DIR}/server.pem\", key_file: \"${DIR}/server.key\" }"
    let file = try fixture.folder.write(text, to: "web.yml")
    let path = fixture.folder.path
    let result = WebConfiguration.load(file: file, environment: { $0 == "DIR" ? path : nil })
    #expect(result.problems == [])
  }

  @Test func `a key that everybody can read and a certificate that has expired are worth a warning`() throws {
    let fixture = try Fixture()
    let authority = try CertificateAuthority("test", in: fixture.folder)
    try setMode(0o644, of: authority.issue("server", for: .server, days: -1).key)
    let told = try fixture.problems(Fixture.tls())
    #expect(
      told == [
        "web.yml:2:14: warning: tls_server_config.cert_file: the certificate has expired; clients will refuse it",
        "web.yml:3:13: warning: tls_server_config.key_file: server.key can be read by every user of this machine; "
          + "chmod o-r takes that away",
      ]
    )
  }

  @Test func `exporter-toolkit's own example is understood`() throws {
    let fixture = try Fixture()
    let yaml = """
      tls_server_config:
        cert_file: server.pem
        key_file: server.key
      basic_auth_users:
        alice: $2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze
        bob: $2y$10$hLqFl9jSjoAAy95Z/zw8Ye8wkdMBM8c5Bn1ptYqP/AXyV0.oy0S8m
      rate_limit:
        interval: "1s"
        burst: 20
      """
    #expect(try fixture.problems(yaml) == [])
  }

  @Test func `a file that is not there is told`() {
    let result = WebConfiguration.load(file: "/nowhere/web.yml")
    #expect(result.problems.map(\.description) == ["/nowhere/web.yml: cannot be read: No such file or directory"])
    #expect(result.configuration == nil)
  }
}
