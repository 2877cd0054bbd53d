internal import CGnuTLS

/// Base 64 (RFC 4648 section 4), of GnuTLS. Any thread.
package enum Base64 {
  /// Returns the bytes that a text stands for; nil if it is not base 64.
  package static func decode(_ text: Substring) -> [UInt8]? {
    var decoded = gnutls_datum_t()
    guard withDatum(Array(text.utf8), { gnutls_base64_decode2($0, &decoded) }) == GNUTLS_E_SUCCESS else { return nil }
    defer { multistore_gnutls_free(decoded.data) }
    return Array(UnsafeBufferPointer(start: decoded.data, count: Int(decoded.size)))
  }
}
