internal import CGnuTLS

/// GnuTLS' errors and the peer's alerts in an operator's words.
extension TLSFailure {
  /// The peer has sent something else than TLS.
  static func notTLS(at side: TLSSide) -> TLSFailure {
    switch side {
    case .client: TLSFailure(.notTLS, "the answer is not TLS; the port may be one without TLS")
    case .server: TLSFailure(.notTLS, "the client does not speak TLS, and this port does")
    }
  }

  /// The peer has closed the connection before it was secure.
  static func closedDuringHandshake(at side: TLSSide) -> TLSFailure {
    switch side {
    case .client:
      TLSFailure(
        .closed,
        "the connection was closed during the TLS handshake; the port may be one without TLS"
      )
    case .server:
      TLSFailure(.closed, "the client has closed the connection during the handshake; it may not trust the certificate")
    }
  }

  /// The peer has sent more than any handshake has.
  static let handshakeTooLong = TLSFailure(.protocol, "the handshake has more bytes than any needs")

  /// The peer has closed the connection without a close-notify.
  static let closedWithoutEnd = TLSFailure(.closed, "the connection was closed without the end of TLS")

  /// Whether a byte is the type of a record (RFC 8446 section 5.1), or begins a greeting of SSL 2.
  static func beginsRecord(_ byte: UInt8) -> Bool { (20...23).contains(byte) || byte == 0x80 }

  /// Makes the failure of a call that returned `code`; `alert` is the last one that the peer has sent.
  init(code: Int32, alert: gnutls_alert_description_t) {
    switch code {
    case GNUTLS_E_FATAL_ALERT_RECEIVED: self.init(alert: alert)
    case GNUTLS_E_UNSUPPORTED_VERSION_PACKET, GNUTLS_E_NO_CIPHER_SUITES, GNUTLS_E_NO_COMMON_KEY_SHARE:
      self.init(.incompatible, "no protocol version, cipher or group in common: \(Self.words(code))")
    case GNUTLS_E_CERTIFICATE_ERROR:
      self.init(.certificate, "the peer's certificate cannot be read, or has a key that is too large")
    case GNUTLS_E_PREMATURE_TERMINATION: self = .closedWithoutEnd
    default:
      self.init(.protocol, "a violation of the TLS protocol, or damaged data: \(Self.words(code))")
    }
  }

  private init(alert: gnutls_alert_description_t) {
    let name = gnutls_alert_get_name(alert).map { String(cString: $0) } ?? "alert \(alert.rawValue)"
    switch alert {
    case GNUTLS_A_CERTIFICATE_REQUIRED:
      self.init(.refusedCertificate, "the peer requires a certificate", remedy: .certificate)
    case GNUTLS_A_BAD_CERTIFICATE, GNUTLS_A_UNSUPPORTED_CERTIFICATE, GNUTLS_A_CERTIFICATE_REVOKED,
      GNUTLS_A_CERTIFICATE_EXPIRED, GNUTLS_A_CERTIFICATE_UNKNOWN, GNUTLS_A_UNKNOWN_CA, GNUTLS_A_ACCESS_DENIED:
      self.init(.refusedCertificate, "the peer does not accept this side's certificate: \(name)")
    case GNUTLS_A_PROTOCOL_VERSION, GNUTLS_A_INSUFFICIENT_SECURITY, GNUTLS_A_HANDSHAKE_FAILURE:
      // TLS 1.2 has no alert for a missing certificate but handshake_failure (RFC 5246 section 7.2.2).
      self.init(
        .incompatible,
        "the peer refuses the handshake (\(name)): no version or cipher in common, or it requires a certificate"
      )
    case GNUTLS_A_UNRECOGNIZED_NAME:
      self.init(.name, "the peer does not know the server name", remedy: .serverName)
    default:
      self.init(.protocol, "the peer has ended TLS with the alert: \(name)")
    }
  }

  /// Returns GnuTLS' words for an error.
  static func words(_ code: Int32) -> String {
    var text = String(cString: gnutls_strerror(code))
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }
}
