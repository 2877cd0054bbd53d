internal import CGnuTLS

/// The hash function SHA-256, of GnuTLS.
package enum SHA256 {
  /// Returns the digest of some bytes in hexadecimal digits.
  package static func hexadecimal(of bytes: [UInt8]) -> String {
    var digest = [UInt8](repeating: 0, count: Int(gnutls_hash_get_len(GNUTLS_DIG_SHA256)))
    let code = unsafe gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, bytes.count, &digest)
    precondition(code == GNUTLS_E_SUCCESS, "GnuTLS has no SHA-256")
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
