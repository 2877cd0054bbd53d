internal import CGnuTLS

/// Verifies a server's certificate during the handshake, before this side's certificate is sent.
extension TLSEngine {
  /// Returns 0 if the certificate is accepted, and GnuTLS' error that ends the handshake otherwise; the reason is in
  /// `refusal` then.
  func verifyServer() -> Int32 {
    guard case .client(let credentials, let name) = role, credentials.settings.verification != .none else { return 0 }
    let isNameVerified = credentials.settings.verification == .full
    var status: UInt32 = 0
    let code = Self.withTexts(GNUTLS_KP_TLS_WWW_SERVER, name) { purpose, name in
      var data = [
        gnutls_typed_vdata_st(type: GNUTLS_DT_KEY_PURPOSE_OID, data: purpose, size: 0),
        gnutls_typed_vdata_st(type: GNUTLS_DT_DNS_HOSTNAME, data: name, size: 0),
      ]
      return gnutls_certificate_verify_peers(session, &data, isNameVerified ? 2 : 1, &status)
    }
    guard code >= 0 else {
      refusal = TLSFailure(.certificate, "the server's certificate cannot be verified: \(TLSFailure.words(code))")
      return GNUTLS_E_CERTIFICATE_ERROR
    }
    guard status != 0 else { return 0 }
    refusal = refusal(for: status, name: name)
    return GNUTLS_E_CERTIFICATE_ERROR
  }

  /// Returns the most important of the problems with a certificate: a later one may be gone once it is solved.
  private func refusal(for status: UInt32, name: String) -> TLSFailure {
    let has = { (flag: gnutls_certificate_status_t) in status & UInt32(flag.rawValue) != 0 }
    guard let certificate = PeerCertificate(of: session) else {
      return TLSFailure(.certificate, "the server's certificate cannot be read")
    }
    if has(GNUTLS_CERT_SIGNER_NOT_FOUND) {
      let issuer = certificate.shownIssuer
      let problem = "the certificate is signed by \(issuer), which is not trusted"
      return TLSFailure(.untrusted, problem, remedy: .authorities)
    }
    if has(GNUTLS_CERT_EXPIRED) {
      let time = PeerCertificate.shown(time: certificate.expiration)
      return TLSFailure(.expired, "the certificate, or that of its authority, has expired; its own end is \(time)")
    }
    if has(GNUTLS_CERT_NOT_ACTIVATED) {
      let time = PeerCertificate.shown(time: certificate.activation)
      return TLSFailure(.expired, "the certificate is valid from \(time) on; compare the clocks of both machines")
    }
    if has(GNUTLS_CERT_UNEXPECTED_OWNER) {
      let problem = "the certificate is for \(certificate.shownNames), not \(name)"
      return TLSFailure(.name, problem, remedy: .serverName)
    }
    if has(GNUTLS_CERT_PURPOSE_MISMATCH) {
      return TLSFailure(.certificate, "the certificate is not one for servers (extendedKeyUsage)")
    }
    return TLSFailure(.certificate, "the certificate is not accepted: \(Self.words(status: status))")
  }

  private static func words(status: UInt32) -> String {
    var text = gnutls_datum_t()
    guard gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0, let data = text.data
    else { return "status \(status)" }
    defer { multistore_gnutls_free(data) }
    var words = String(decoding: UnsafeBufferPointer(start: data, count: Int(text.size)), as: UTF8.self)
    while words.hasSuffix(" ") || words.hasSuffix(".") { words.removeLast() }
    return words
  }

  /// Calls `body` with two zero-terminated texts, to which GnuTLS does not write.
  private static func withTexts<Result>(
    _ one: String,
    _ other: String,
    _ body: (UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?) -> Result
  ) -> Result {
    var one = one.utf8CString.map(UInt8.init(bitPattern:))
    var other = other.utf8CString.map(UInt8.init(bitPattern:))
    return one.withUnsafeMutableBufferPointer { one in
      other.withUnsafeMutableBufferPointer { other in body(one.baseAddress, other.baseAddress) }
    }
  }
}
