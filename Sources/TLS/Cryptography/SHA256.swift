internal import CGnuTLS

/// The hash function SHA-256, of GnuTLS. Any thread.
package enum SHA256 {
  /// Returns the digest of some bytes in hexadecimal digits.
  package static func hexadecimal(of bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(gnutls_hash_get_len(GNUTLS_DIG_SHA256)))
    let code = gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, bytes.count, &digest)
    precondition(code == GNUTLS_E_SUCCESS, "GnuTLS has no SHA-256")
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// Returns the keyed digest (HMAC, RFC 2104) of some bytes.
  package static func authenticationCode(of bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(gnutls_hmac_get_len(GNUTLS_MAC_SHA256)))
    let code = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key.count, bytes, bytes.count, &digest)
    precondition(code == GNUTLS_E_SUCCESS, "GnuTLS has no SHA-256")
    return digest
  }
}
