import Foundation
import Sockets
import TLS
import TestSupport
import Testing

@testable import Sidecar

@Suite("TLS for clients in configurations")
struct ListenerTLSTests {
  let folder: TemporaryDirectory
  let authority: CertificateAuthority

  init() throws {
    folder = try TemporaryDirectory()
    authority = try CertificateAuthority("test", in: folder)
    _ = try authority.issue("server", for: .server)
  }

  static let files = "cert_file: server.pem, key_file: server.key"

  func loaded(listen: String, _ lines: [String]) throws -> ConfigurationResult {
    let yaml =
      (["instances:", "  - name: sessions", "    listen: \(listen)", "    secondary: { url: redis://h:1 }"]
      + lines.map { "    \($0)" }).joined(separator: "\n") + "\n"
    return SidecarConfiguration.load(file: try folder.write(yaml, to: "sidecar.yml"))
  }

  func problems(listen: String = "\"tls:0.0.0.0:6390\"", _ lines: String...) throws -> [String] {
    try loaded(listen: listen, lines).problems.map { $0.description.replacing("\(folder.path)/", with: "") }
  }

  @Test func `all settings are read, and paths begin at the file's folder`() throws {
    let result = try loaded(
      listen: "[\"unix:/run/s.sock\", \"tls:0.0.0.0:6390\"]",
      [
        "tls: { \(Self.files), client_ca_file: test-ca.pem, client_auth: require, min_version: TLS13, "
          + "handshake_timeout: 3s }",
        "users: [{ name: app, certificate_name: app.example.com }]",
      ]
    )
    #expect(result.problems.isEmpty, "\(result.problems)")
    let instance = try #require(result.configuration?.instances.first)
    var expected = TLSServerSettings(certificateFile: folder.path("server.pem"), keyFile: folder.path("server.key"))
    expected.clientAuthorityFile = authority.certificate
    expected.clientAuthentication = .require
    expected.minimumVersion = .tls13
    #expect(instance.tls?.server.settings == expected)
    #expect(instance.tls?.handshakeTimeout == .seconds(3))
    #expect(instance.listen.map(\.description) == ["unix:/run/s.sock", "tls:0.0.0.0:6390"])
    #expect(instance.users.map(\.certificateName) == ["app.example.com"])
    #expect(instance.users.map(\.password) == [nil])
  }

  @Test func `mistakes are found at their keys`() throws {
    let needsTLS = "sidecar.yml:3:13: instances[0].listen: tls:0.0.0.0:6390 needs a map tls with cert_file and key_file"
    #expect(try problems() == [needsTLS])
    let plain = "\"127.0.0.1:6400\""
    #expect(
      try problems(listen: plain, "tls: { \(Self.files) }") == [
        "sidecar.yml:5:10: instances[0].tls: has no effect: no address of listen begins with tls:, such as "
          + "tls:0.0.0.0:6390"
      ]
    )
    let cases = [
      ("cert_file: server.pem", "10: instances[0].tls: \"key_file\" is missing; expected the path of a file"),
      (
        "cert_file: no.pem, key_file: server.key",
        "23: instances[0].tls.cert_file: cannot read no.pem: No such file or directory"
      ),
      (
        "cert_file: server.pem, key_file: sidecar.yml",
        "45: instances[0].tls.key_file: sidecar.yml has no private key in PEM"
      ),
      (
        "\(Self.files), client_auth: request",
        "70: instances[0].tls.client_auth: request needs client_ca_file: whose certificates are to be accepted?"
      ),
      (
        "\(Self.files), client_ca_file: test-ca.pem",
        "73: instances[0].tls.client_ca_file: has no effect with client_auth none; write request or require"
      ),
    ]
    for (keys, problem) in cases {
      let found = try problems("tls: { \(keys) }")
      #expect(found == ["sidecar.yml:5:\(problem)"])
    }
    let unix = try problems(listen: "\"tls:unix:/x\"", "tls: { \(Self.files) }")
    #expect(unix.first?.contains("a unix socket has no TLS") == true)
  }

  @Test func `warnings are about the certificate's end and the key's rights`() throws {
    let old = try authority.issue("old", for: .server, days: -1)
    let key = try folder.write(try String(contentsOfFile: old.key, encoding: .utf8), to: "open.key")
    try setMode(0o644, of: key)
    #expect(
      try problems("tls: { cert_file: old.pem, key_file: open.key }") == [
        "sidecar.yml:5:23: warning: instances[0].tls.cert_file: the certificate has expired; clients will refuse it",
        "sidecar.yml:5:42: warning: instances[0].tls.key_file: open.key can be read by every user of this machine; "
          + "chmod o-r takes that away",
      ]
    )
  }

  @Test func `a user of a certificate needs certificates`() throws {
    let user = "users: [{ name: app, certificate_name: app }]"
    #expect(
      try problems("tls: { \(Self.files) }", user) == [
        "sidecar.yml:6:44: instances[0].users[0].certificate_name: has no effect without tls.client_auth"
      ]
    )
    let verified = "tls: { \(Self.files), client_ca_file: test-ca.pem, client_auth: request }"
    #expect(try problems(verified, user) == [])
    let two = "users: [{ name: a, certificate_name: x }, { name: b, certificate_name: x }]"
    #expect(try problems(verified, two).first?.contains("the user \"a\" has the same") == true)
  }
}
