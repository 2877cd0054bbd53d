internal import CGnuTLS

/// Verifies the certificate of a client's handshake before each of its requests.
///
/// libmicrohttpd requests certificates and does not verify them. Doing it for each request, with the current settings,
/// makes the removal of an authority effective at once, on open connections as well.
extension TLSCredentials {
  /// The longest chain that is read, in certificates.
  private static let longestChain = 16

  /// Returns the sentence with which a client is refused; nil if it is accepted.
  package func refusal(of session: OpaquePointer) -> String? {
    let wanted = settings.clientAuthentication
    guard wanted != .none, wanted != .request else { return nil }
    guard let chain = Self.chain(of: session) else { return "The client certificate cannot be read." }
    defer { chain.forEach { gnutls_x509_crt_deinit($0) } }
    guard let certificate = chain.first else {
      return wanted.isRequired ? "This needs a client certificate." : nil
    }
    if wanted.isVerified, let problem = problem(with: chain) {
      return "The client certificate is not accepted: \(problem)"
    }
    if let allowed = settings.allowedClientNames,
      !CertificateNames.all(in: certificate).contains(where: allowed.contains)
    {
      return "The client certificate has none of the names that are allowed here."
    }
    return nil
  }

  /// The names of a client's certificate that is accepted and was verified: its common name and the alternative ones.
  func verifiedNames(of session: OpaquePointer) -> [String] {
    guard settings.clientAuthentication.isVerified, refusal(of: session) == nil else { return [] }
    return PeerCertificate(of: session)?.names ?? []
  }

  /// Returns the certificates that the client has shown, none for a client without one; nil if one cannot be read. Such
  /// a client is not one without a certificate: GnuTLS has verified that it has the key of the first one.
  private static func chain(of session: gnutls_session_t) -> [gnutls_x509_crt_t?]? {
    var count: UInt32 = 0
    guard let raw = gnutls_certificate_get_peers(session, &count) else { return [] }
    var chain: [gnutls_x509_crt_t?] = []
    for index in 0..<min(Int(count), longestChain) {
      var certificate: gnutls_x509_crt_t?
      let isMade = gnutls_x509_crt_init(&certificate) == GNUTLS_E_SUCCESS
      if isMade { chain.append(certificate) }
      guard isMade, gnutls_x509_crt_import(certificate, raw + index, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS else {
        chain.forEach { gnutls_x509_crt_deinit($0) }
        return nil
      }
    }
    return chain
  }

  /// Returns the problem with a chain, in GnuTLS' words; nil if it leads to a client authority, is valid now, and may
  /// be used by clients.
  private func problem(with chain: [gnutls_x509_crt_t?]) -> String? {
    var chain = chain
    var status: UInt32 = 0
    var purpose = Array(GNUTLS_KP_TLS_WWW_CLIENT.utf8CString.map(UInt8.init(bitPattern:)))
    let code = purpose.withUnsafeMutableBufferPointer { purpose in
      var data = gnutls_typed_vdata_st(
        type: GNUTLS_DT_KEY_PURPOSE_OID,
        data: purpose.baseAddress,
        size: 0
      )
      return withClientAuthorities { authorities in
        gnutls_x509_trust_list_verify_crt2(authorities, &chain, UInt32(chain.count), &data, 1, 0, &status, nil)
      }
    }
    guard code >= 0 else { return String(cString: gnutls_strerror(code)) }
    guard status != 0 else { return nil }
    var text = gnutls_datum_t()
    guard gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0) >= 0, let data = text.data
    else { return "it does not lead to a client authority." }
    defer { multistore_gnutls_free(data) }
    let words = String(decoding: UnsafeBufferPointer(start: data, count: Int(text.size)), as: UTF8.self)
    return String(words.reversed().drop { $0 == " " }.reversed())
  }
}
