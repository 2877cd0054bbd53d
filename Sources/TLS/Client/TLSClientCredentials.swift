internal import CGnuTLS
internal import Glibc

/// The contents of the files of client settings in GnuTLS' form, as they were at one moment.
///
/// `@unchecked Sendable`: the handles are set once and never changed; GnuTLS lets sessions of several threads share
/// credentials and priorities as long as they are not changed (manual, "Thread safety").
final class TLSClientCredentials: @unchecked Sendable {
  let settings: TLSClientSettings
  /// The expiration of this side's certificate, in Unix time; nil without one.
  let certificateExpiration: Int?
  /// The expirations of the trusted authorities of ``TLSClientSettings/authorityFile``.
  let authorityExpirations: [Int]
  private let credentials: gnutls_certificate_credentials_t
  private let priorities: gnutls_priority_t

  /// Reads the files.
  init(_ settings: TLSClientSettings) throws(TLSClientError) {
    self.settings = settings
    priorities = try Self.makePriorities(settings)
    var made: gnutls_certificate_credentials_t?
    gnutls_certificate_allocate_credentials(&made)
    guard let made else { fatalError("out of memory for credentials") }
    credentials = made
    do throws(TLSClientError) {
      authorityExpirations = try Self.addAuthorities(settings, to: made)
      certificateExpiration = try Self.addCertificate(settings, to: made)
    } catch {
      // The deinitializer does not run for an object whose initializer fails before all properties are set.
      gnutls_certificate_free_credentials(made)
      gnutls_priority_deinit(priorities)
      throw error
    }
  }

  deinit {
    // Sessions hold references to priorities, and an engine retains the credentials of its session.
    gnutls_priority_deinit(priorities)
    gnutls_certificate_free_credentials(credentials)
  }

  /// Makes an engine for one connection.
  ///
  /// - Parameters:
  ///   - name: the name to verify.
  ///   - data: those of an earlier session, to resume it; it has to be one with these credentials and this name.
  func makeEngine(name: String, resuming data: [UInt8]?) -> TLSEngine {
    var made: gnutls_session_t?
    // With GNUTLS_FORCE_CLIENT_CERT, a certificate whose authority the server does not name is sent all the same: the
    // server refuses it for that then, and does not say that there is none.
    let flags = UInt32(GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT)
    guard gnutls_init(&made, flags) == GNUTLS_E_SUCCESS, let session = made else { fatalError("out of memory for TLS") }
    gnutls_priority_set(session, priorities)
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials))
    PeerKeyLimit.apply(to: session)
    // An IP address must not be sent as a name (RFC 6066 section 3).
    if !Self.isAddress(name) { gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, name.utf8.count) }
    // If the data can't be used, it is a full handshake.
    if let data { gnutls_session_set_data(session, data, data.count) }
    let engine = TLSEngine(takingOwnershipOf: session, role: .client(self, name: name))
    gnutls_session_set_verify_function(session) { session in
      guard let session, let engine = gnutls_session_get_ptr(session) else { return GNUTLS_E_CERTIFICATE_ERROR }
      // The engine owns the session, and is alive while it shakes hands.
      return Unmanaged<TLSEngine>.fromOpaque(engine)._withUnsafeGuaranteedRef { $0.verifyServer() }
    }
    return engine
  }

  private static func isAddress(_ name: String) -> Bool {
    var address = in6_addr()
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
  }

  private static func makePriorities(_ settings: TLSClientSettings) throws(TLSClientError) -> gnutls_priority_t {
    var made: gnutls_priority_t?
    guard gnutls_priority_init(&made, settings.priorities, nil) == GNUTLS_E_SUCCESS, let made else {
      let reason = "is no GnuTLS priority string; gnutls-cli -l --priority … tests one"
      throw TLSClientError(part: .ciphers, reason: reason)
    }
    return made
  }

  /// Returns the expirations of the authorities of the file.
  private static func addAuthorities(
    _ settings: TLSClientSettings,
    to credentials: gnutls_certificate_credentials_t
  ) throws(TLSClientError) -> [Int] {
    if settings.usesSystemAuthorities {
      // Without any, each certificate is refused, and that message names its authority.
      gnutls_certificate_set_x509_system_trust(credentials)
    }
    if let folder = settings.authorityFolder {
      guard gnutls_certificate_set_x509_trust_dir(credentials, folder, GNUTLS_X509_FMT_PEM) > 0 else {
        throw TLSClientError(part: .authorityFolder, reason: "\(folder) has no certificate in PEM, or cannot be read")
      }
    }
    guard let file = settings.authorityFile else { return [] }
    let bytes = try contents(of: file, .authorityFile)
    let count = withDatum(bytes) { gnutls_certificate_set_x509_trust_mem(credentials, $0, GNUTLS_X509_FMT_PEM) }
    guard count > 0, let expirations = PEM.expirations(of: bytes) else {
      throw TLSClientError(part: .authorityFile, reason: "\(file) has no certificate in PEM")
    }
    return expirations
  }

  /// Returns the expiration of this side's certificate.
  private static func addCertificate(
    _ settings: TLSClientSettings,
    to credentials: gnutls_certificate_credentials_t
  ) throws(TLSClientError) -> Int? {
    guard let certificateFile = settings.certificateFile else { return nil }
    guard let keyFile = settings.keyFile else {
      throw TLSClientError(part: .keyFile, reason: "is missing; the certificate needs its key")
    }
    let certificate = try contents(of: certificateFile, .certificateFile)
    guard let expiration = PEM.expirations(of: certificate)?.first else {
      throw TLSClientError(part: .certificateFile, reason: "\(certificateFile) has no certificate in PEM")
    }
    let key = try contents(of: keyFile, .keyFile)
    let password = try settings.keyPasswordFile.map { file throws(TLSClientError) in try keyPassword(in: file) }
    switch PEM.key(key, password: password) {
    case .usable: break
    case .unreadable: throw TLSClientError(part: .keyFile, reason: "\(keyFile) has no private key in PEM")
    case .encrypted where password == nil:
      throw TLSClientError(part: .keyFile, reason: "\(keyFile) is encrypted; set key_password_file")
    case .encrypted: throw TLSClientError(part: .keyPasswordFile, reason: "its password does not open \(keyFile)")
    }
    let code = withDatum(certificate) { certificate in
      withDatum(key) { key in
        gnutls_certificate_set_x509_key_mem2(credentials, certificate, key, GNUTLS_X509_FMT_PEM, password, 0)
      }
    }
    guard code >= 0 else {
      let reason = code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH ? "does not belong to" : "cannot be used with"
      throw TLSClientError(part: .keyFile, reason: "\(keyFile) \(reason) the certificate in \(certificateFile)")
    }
    return expiration
  }

  private static func keyPassword(in file: String) throws(TLSClientError) -> String {
    let bytes = try contents(of: file, .keyPasswordFile)
    return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }, as: UTF8.self)
  }

  private static func contents(of file: String, _ part: TLSClientError.Part) throws(TLSClientError) -> [UInt8] {
    switch FileContents.read(file) {
    case .success(let bytes): return bytes
    case .failure(let failure): throw TLSClientError(part: part, reason: "cannot read \(file): \(failure.words)")
    }
  }
}
