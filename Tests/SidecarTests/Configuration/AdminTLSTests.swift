import Sockets
import TLS
import TestSupport
import Testing

@testable import Sidecar

@Suite("TLS of the admin API in configurations")
struct AdminTLSTests {
  static let files = "cert_file: server.pem, key_file: server.key"

  let folder: TemporaryDirectory
  let authority: CertificateAuthority

  init() throws {
    folder = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: folder)
    _ = try authority.issue("server", for: .server)
  }

  func loaded(_ tls: String) throws -> ConfigurationResult {
    let yaml = """
      admin: { tls: { \(tls) } }
      instances: [{ name: sessions, listen: "127.0.0.1:6400", secondary: { url: redis://h:1 } }]

      """
    return SidecarConfiguration.load(file: try folder.write(yaml, to: "sidecar.yml"))
  }

  func problems(_ tls: String) throws -> [String] {
    try loaded(tls).problems.map { $0.description.replacing("\(folder.path)/", with: "") }
  }

  @Test func `all settings are read, and paths begin at the file's folder`() throws {
    let result = try loaded("\(Self.files), client_ca_file: test-ca.pem, client_auth: request, min_version: TLS13")
    #expect(result.problems.isEmpty, "\(result.problems)")
    var expected = TLSServerSettings(certificateFile: folder.path("server.pem"), keyFile: folder.path("server.key"))
    expected.clientAuthorityFile = authority.certificate
    expected.clientAuthentication = .request
    expected.minimumVersion = .tls13
    #expect(result.configuration?.adminTLS?.settings == expected)
  }

  @Test func `mistakes are found at their keys`() throws {
    _ = try authority.issue("other", for: .server)
    let cases = [
      ("key_file: server.key", "15: admin.tls: \"cert_file\" is missing; expected the path of a file"),
      (
        "cert_file: no.pem, key_file: server.key",
        "28: admin.tls.cert_file: cannot read no.pem: No such file or directory"
      ),
      (
        "cert_file: server.pem, key_file: other.key",
        "50: admin.tls.key_file: other.key does not belong to the certificate"
      ),
      (
        "\(Self.files), client_auth: require",
        "75: admin.tls.client_auth: require needs client_ca_file: whose certificates are to be accepted?"
      ),
      (
        "\(Self.files), handshake_timeout: 3s",
        "62: admin.tls.handshake_timeout: cannot be set here: a client of the admin API has 10s for the handshake and "
          + "its first request together"
      ),
    ]
    for (keys, problem) in cases { #expect(try problems(keys) == ["sidecar.yml:1:\(problem)"]) }
  }

  @Test func `warnings are about the certificate's end and the key's rights`() throws {
    let old = try authority.issue("old", for: .server, days: -1)
    try setMode(0o644, of: old.key)
    #expect(
      try problems("cert_file: old.pem, key_file: old.key") == [
        "sidecar.yml:1:28: warning: admin.tls.cert_file: the certificate has expired; clients will refuse it",
        "sidecar.yml:1:47: warning: admin.tls.key_file: old.key can be read by every user of this machine; chmod o-r "
          + "takes that away",
      ]
    )
  }
}
