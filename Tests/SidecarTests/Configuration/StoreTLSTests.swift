import Sockets
import TLS
import TestSupport
import Testing

@testable import Sidecar

@Suite("TLS of stores in configurations")
struct StoreTLSTests {
  let folder: TemporaryDirectory
  let authority: CertificateAuthority

  init() throws {
    folder = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: folder)
  }

  func loaded(_ primary: String) throws -> ConfigurationResult {
    SidecarConfiguration.load(file: try folder.write(minimal(instance: "primary: \(primary)"), to: "sidecar.yml"))
  }

  func problems(_ primary: String) throws -> [String] {
    try loaded(primary).problems.map { $0.description.replacing("\(folder.path)/", with: "") }
  }

  func store(_ primary: String) throws -> StoreConfiguration {
    let result = try loaded(primary)
    #expect(result.errors.isEmpty, "\(result.problems)")
    return try #require(result.configuration?.instances.first?.primary)
  }

  @Test func `a rediss URL uses TLS with the system's authorities`() throws {
    let store = try store("{ url: rediss://cache.example.com }")
    #expect(store.place == .address(.tcp(host: "cache.example.com", port: 6379)))
    #expect(store.tls?.settings == TLSClientSettings())
    #expect(try self.store("{ url: redis://cache.example.com }").tls == nil)
  }

  @Test func `all settings are read, and paths begin at the file's folder`() throws {
    let issued = try authority.issue("client", for: .client)
    try folder.write("secret\n", to: "password")
    let store = try store(
      """
      { url: redis://h:1, tls: { ca_file: test-ca.pem, ca_path: ., cert_file: client.pem, key_file: client.key, \
      key_password_file: password, server_name: other.example.com, verify: ca, min_version: TLS13, \
      ciphers: SECURE256 } }
      """
    )
    var expected = TLSClientSettings()
    expected.authorityFile = authority.certificate
    expected.authorityFolder = folder.path(".")
    expected.certificateFile = issued.certificate
    expected.keyFile = issued.key
    expected.keyPasswordFile = folder.path("password")
    expected.serverName = "other.example.com"
    expected.verification = .ca
    expected.minimumVersion = .tls13
    expected.ciphers = "SECURE256"
    #expect(store.tls?.settings == expected)
  }

  @Test func `mistakes are found at their keys`() throws {
    _ = try authority.issue("client", for: .client)
    _ = try authority.issue("other", for: .client)
    _ = try authority.issue("old", for: .client, days: -1)
    let key = "sidecar.yml:5:"
    let cases: [(String, [String])] = [
      ("ca_file: no.pem", ["49: instances[0].primary.tls.ca_file: cannot read no.pem: No such file or directory"]),
      ("ca_file: sidecar.yml", ["49: instances[0].primary.tls.ca_file: sidecar.yml has no certificate in PEM"]),
      (
        "cert_file: client.pem, key_file: other.key",
        ["73: instances[0].primary.tls.key_file: other.key does not belong to the certificate in client.pem"]
      ),
      ("key_file: client.key", ["50: instances[0].primary.tls.key_file: has no effect without cert_file"]),
      ("cert_file: client.pem", ["38: instances[0].primary.tls.key_file: is missing; the certificate needs its key"]),
      (
        "cert_file: old.pem, key_file: old.key",
        ["51: warning: instances[0].primary.tls.cert_file: the certificate has expired; the store will refuse it"]
      ),
      (
        "verify: none",
        [
          "48: warning: instances[0].primary.tls.verify: the store's certificate is not verified; anybody between can "
            + "read and change everything"
        ]
      ),
      (
        "verify: nome",
        ["48: instances[0].primary.tls.verify: expected full or ca or none, found \"nome\"; did you mean \"none\"?"]
      ),
      (
        "ciphers: NOPE",
        [
          "49: instances[0].primary.tls.ciphers: is no GnuTLS priority string; gnutls-cli -l --priority … tests one"
        ]
      ),
    ]
    for (settings, expected) in cases {
      #expect(try problems("{ url: rediss://h, tls: { \(settings) } }") == expected.map { key + $0 }, "\(settings)")
    }
  }

  @Test func `a unix socket has no TLS`() throws {
    #expect(
      try problems("{ url: \"unix:///run/r.sock\", tls: { verify: ca } }") == [
        "sidecar.yml:5:48: instances[0].primary.tls: a unix socket has no TLS; write rediss://…"
      ]
    )
  }
}
