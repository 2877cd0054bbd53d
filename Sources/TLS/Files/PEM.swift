internal import CGnuTLS

/// Certificates and keys in PEM.
enum PEM {
  /// Returns the expiration of each certificate in Unix time, in their order; nil if there is none.
  static func expirations(of bytes: [UInt8]) -> [Int]? {
    var certificates: UnsafeMutablePointer<gnutls_x509_crt_t?>?
    var count: UInt32 = 0
    let code = withDatum(bytes) { gnutls_x509_crt_list_import2(&certificates, &count, $0, GNUTLS_X509_FMT_PEM, 0) }
    guard code >= 0, count > 0, let certificates else { return nil }
    defer {
      for index in 0..<Int(count) { gnutls_x509_crt_deinit(certificates[index]) }
      multistore_gnutls_free(certificates)
    }
    return (0..<Int(count)).map { gnutls_x509_crt_get_expiration_time(certificates[$0]) }
  }

  /// The state of a key.
  enum Key {
    case usable, unreadable
    /// It needs a password, or another one.
    case encrypted
  }

  /// Tries to read a key.
  static func key(_ bytes: [UInt8], password: String?) -> Key {
    var key: gnutls_x509_privkey_t?
    guard gnutls_x509_privkey_init(&key) == GNUTLS_E_SUCCESS else { return .unreadable }
    defer { gnutls_x509_privkey_deinit(key) }
    switch withDatum(bytes, { gnutls_x509_privkey_import2(key, $0, GNUTLS_X509_FMT_PEM, password, 0) }) {
    case GNUTLS_E_SUCCESS: return .usable
    case GNUTLS_E_DECRYPTION_FAILED: return .encrypted
    default: return .unreadable
    }
  }
}
