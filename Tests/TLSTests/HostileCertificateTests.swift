internal import CGnuTLS
import TestSupport
import Testing

@testable import TLS

/// Clients that show certificates as no tool makes them.
@Suite("Hostile certificates")
struct HostileCertificateTests {
  private let certificates: Certificates

  init() throws {
    certificates = try Certificates()
  }

  /// A certificate that only its owner trusts, for a name that stands for a user.
  private func stranger() throws -> CertificateAuthority.Certificate {
    try CertificateAuthority("stranger", in: certificates.directory)
      .issue("app", for: .client, names: ["DNS:app.example.com"])
  }

  private func pair(_ wanted: TLSSettings.ClientAuthentication, _ version: TLSSettings.Version) throws -> EnginePair {
    let authorities = try bytes(certificates.authority.certificate)
    let server = try certificates.server {
      $0.clientAuthentication = wanted
      $0.clientAuthorities = authorities
      $0.maximumVersion = version
    }
    // The credentials of a ``ClientChain`` trust nobody.
    return try EnginePair(certificates.client { $0.verification = .none }, server)
  }

  /// Its first certificate is read, and GnuTLS has verified that the client has the key.
  @Test(
    arguments: [TLSSettings.ClientAuthentication.verifyIfGiven, .requireAndVerify],
    TLSSettings.Version.allCases
  )
  func `a chain with a certificate that cannot be read is refused`(
    wanted: TLSSettings.ClientAuthentication,
    version: TLSSettings.Version
  ) throws {
    let shown = try stranger()
    let pair = try pair(wanted, version)
    let credentials = try ClientChain(certificate: shown, breaksSecond: true)
    credentials.use(in: pair.client)
    withExtendedLifetime(credentials) { pair.exchange() }
    #expect(pair.server.failure?.reason == .certificate, "\(String(describing: pair.server.failure))")
    #expect(pair.server.clientNames == [])
  }

  @Test(arguments: TLSSettings.Version.allCases)
  func `a chain of the stranger's that can be read is not accepted either`(version: TLSSettings.Version) throws {
    let shown = try stranger()
    let pair = try pair(.verifyIfGiven, version)
    let credentials = try ClientChain(certificate: shown, breaksSecond: false)
    credentials.use(in: pair.client)
    withExtendedLifetime(credentials) { pair.exchange() }
    #expect(pair.server.failure == nil)
    #expect(pair.server.clientRefusal?.contains("not accepted") == true)
    #expect(pair.server.clientNames == [])
  }

  /// OpenSSL makes and uses such keys up to 3,072 bits of modulus.
  @Test(arguments: [65_537, 18_446_744_073_709_551_629] as [UInt128], [true, false])
  func `a key with a large exponent ends the handshake`(exponent: UInt128, isServers: Bool) throws {
    let directory = certificates.directory
    let key = directory.path("large.key")
    let made = try ChildProcess.run(
      "openssl",
      ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:\(exponent)"]
        + ["-out", key]
    )
    try #require(made.exit == .status(0), "\(made.errors)")
    let own = try certificates.authority.issue("large", for: isServers ? .server : .client, key: key)
    let pair: EnginePair
    if isServers {
      pair = try EnginePair(certificates.client(), certificates.server(own))
    } else {
      let authorities = try bytes(certificates.authority.certificate)
      let server = try certificates.server {
        $0.clientAuthentication = .requireAndVerify
        $0.clientAuthorities = authorities
      }
      let client = certificates.client {
        $0.certificateFile = own.certificate
        $0.keyFile = own.key
      }
      pair = try EnginePair(client, server)
    }
    pair.exchange()
    let judge = isServers ? pair.client : pair.server
    let isFine = exponent == 65_537
    #expect(judge.failure == nil || !isFine, "\(String(describing: judge.failure))")
    #expect(isFine || judge.failure?.message.contains("too large") == true, "\(String(describing: judge.failure))")
  }
}

/// Credentials of a client that shows its certificate twice, the second time perhaps as something else.
private final class ClientChain {
  private let credentials: gnutls_certificate_credentials_t

  init(certificate: CertificateAuthority.Certificate, breaksSecond: Bool) throws {
    var made: gnutls_certificate_credentials_t?
    gnutls_certificate_allocate_credentials(&made)
    credentials = try #require(made)
    var key: gnutls_privkey_t?
    gnutls_privkey_init(&key)
    let imported = try withDatum(bytes(certificate.key)) {
      gnutls_privkey_import_x509_raw(key, $0, GNUTLS_X509_FMT_PEM, nil, 0)
    }
    try #require(imported == GNUTLS_E_SUCCESS)
    // GnuTLS takes over what they refer to.
    var shown = [gnutls_pcert_st(), gnutls_pcert_st()]
    for index in shown.indices {
      let imported = try withDatum(bytes(certificate.certificate)) {
        gnutls_pcert_import_x509_raw(&shown[index], $0, GNUTLS_X509_FMT_PEM, 0)
      }
      try #require(imported == GNUTLS_E_SUCCESS)
    }
    if breaksSecond { shown[1].cert.data[0] = 0 }
    try #require(gnutls_certificate_set_key(credentials, nil, 0, &shown, 2, key) >= 0)
  }

  deinit {
    gnutls_certificate_free_credentials(credentials)
  }

  /// Shows the chain in the handshake that has just begun. The credentials have to outlive it.
  func use(in engine: TLSEngine) {
    gnutls_credentials_set(engine.session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials))
  }
}
