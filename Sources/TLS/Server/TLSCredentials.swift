internal import CGnuTLS
internal import Glibc

/// Settings in GnuTLS' form: parsed, consistent, and ready for handshakes.
///
/// `@unchecked Sendable`: the handles and the key are set once and never changed; GnuTLS lets sessions of several
/// threads share credentials, priorities and trusted authorities as long as they are not changed (manual, "Thread
/// safety").
public final class TLSCredentials: @unchecked Sendable {
  /// The expiration of the server's certificate, in Unix time.
  public let expiration: Int

  /// A summary without secrets: `TLS12 to TLS13 with NoClientCert`.
  public var summary: String {
    let (oldest, newest) = (settings.minimumVersion, settings.maximumVersion)
    let versions = oldest == newest ? oldest.rawValue : "\(oldest.rawValue) to \(newest.rawValue)"
    return "\(versions) with \(settings.clientAuthentication.rawValue)"
  }

  let settings: TLSSettings
  private let credentials: gnutls_certificate_credentials_t
  private let priorities: gnutls_priority_t
  /// The key of the tickets with which clients resume sessions; GnuTLS derives one after the other from it.
  private var ticketKey = gnutls_datum_t()

  /// Reads certificate, key and authorities.
  ///
  /// - Throws: ``TLSSettingsError`` for what GnuTLS cannot use.
  public init(_ settings: TLSSettings) throws(TLSSettingsError) {
    self.settings = settings
    guard let expiration = PEM.expirations(of: settings.certificate)?.first else {
      throw TLSSettingsError(part: .certificate, reason: "has no certificate in PEM")
    }
    self.expiration = expiration
    try Self.checkKey(settings.key)
    credentials = try Self.makeCredentials(settings)
    var made: gnutls_priority_t?
    guard gnutls_priority_init(&made, settings.priorities, nil) == GNUTLS_E_SUCCESS, let made else {
      gnutls_certificate_free_credentials(credentials)
      throw TLSSettingsError(part: .protocols, reason: "no such protocol versions or curves in this GnuTLS")
    }
    priorities = made
    // Without a key no session is resumed.
    gnutls_session_ticket_key_generate(&ticketKey)
  }

  deinit {
    // Sessions do not use their credentials any more when they end (gnutls_deinit in lib/state.c of 3.7.9), and hold
    // references to priorities.
    gnutls_priority_deinit(priorities)
    gnutls_certificate_free_credentials(credentials)
    multistore_gnutls_free(ticketKey.data)
  }

  /// Sets the credentials of a session before its handshake. They have to outlive the session's last use. If this
  /// fails, the session has no certificate, and its handshake fails.
  package func equip(_ session: OpaquePointer) {
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, UnsafeMutableRawPointer(credentials))
    gnutls_priority_set(session, priorities)
    guard settings.clientAuthentication != .none else { return }
    // Never GNUTLS_CERT_REQUIRE: a probe has no certificate, and the handshake does not know the path.
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST)
    PeerKeyLimit.apply(to: session)
  }

  /// Lets the client of a session resume it later.
  func offerTickets(_ session: OpaquePointer) {
    guard ticketKey.data != nil else { return }
    _ = withUnsafePointer(to: ticketKey) { gnutls_session_ticket_enable_server(session, $0) }
  }

  /// Calls `body` with the trusted authorities of clients.
  func withClientAuthorities<Result>(_ body: (gnutls_x509_trust_list_t?) -> Result) -> Result {
    var list: gnutls_x509_trust_list_t?
    gnutls_certificate_get_trust_list(credentials, &list)
    return body(list)
  }

  private static func makeCredentials(
    _ settings: TLSSettings
  ) throws(TLSSettingsError) -> gnutls_certificate_credentials_t {
    var made: gnutls_certificate_credentials_t?
    guard gnutls_certificate_allocate_credentials(&made) == GNUTLS_E_SUCCESS, let made else {
      throw TLSSettingsError(part: .certificate, reason: "memory is used up")
    }
    do throws(TLSSettingsError) {
      let code = withDatum(settings.certificate) { certificate in
        withDatum(settings.key) { key in
          gnutls_certificate_set_x509_key_mem2(made, certificate, key, GNUTLS_X509_FMT_PEM, nil, 0)
        }
      }
      guard code >= 0 else {
        let belongs = code != GNUTLS_E_CERTIFICATE_KEY_MISMATCH
        throw TLSSettingsError(part: .key, reason: belongs ? words(code) : "does not belong to the certificate")
      }
      if let authorities = settings.clientAuthorities {
        let count = withDatum(authorities) { gnutls_certificate_set_x509_trust_mem(made, $0, GNUTLS_X509_FMT_PEM) }
        guard count > 0 else {
          throw TLSSettingsError(part: .clientAuthorities, reason: "has no certificate in PEM")
        }
      }
    } catch {
      gnutls_certificate_free_credentials(made)
      throw error
    }
    return made
  }

  private static func checkKey(_ bytes: [UInt8]) throws(TLSSettingsError) {
    switch PEM.key(bytes, password: nil) {
    case .usable: return
    case .encrypted:
      throw TLSSettingsError(part: .key, reason: "is encrypted; write it without a password: openssl pkey -in … -out …")
    case .unreadable:
      throw TLSSettingsError(part: .key, reason: "has no private key in PEM")
    }
  }

  private static func words(_ code: Int32) -> String {
    "cannot be used: \(String(cString: gnutls_strerror(code)))"
  }
}
