internal import CGnuTLS

/// Random bytes, and comparisons whose time does not depend on the bytes. Any thread.
package enum SecureBytes {
  /// Returns `count` bytes that nobody can predict, for keys.
  package static func random(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let code = gnutls_rnd(GNUTLS_RND_KEY, &bytes, bytes.count)
    precondition(code == GNUTLS_E_SUCCESS, "the system has no random numbers")
    return bytes
  }

  /// Whether two secrets are the same. The time taken depends on their lengths alone.
  package static func areEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    one.count == other.count && gnutls_memcmp(one, other, one.count) == 0
  }
}
