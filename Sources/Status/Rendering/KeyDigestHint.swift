/// The hint below a table in which keys are shown by digests.
enum KeyDigestHint {
  /// Says how the digest of a key is found out.
  ///
  /// - Parameter digits: The number of digits that are shown.
  static func sentence(digits: Int) -> String {
    "A key is shown by the first \(digits) digits of its SHA-256: printf %s KEY | sha256sum | cut -c-\(digits)"
  }
}
