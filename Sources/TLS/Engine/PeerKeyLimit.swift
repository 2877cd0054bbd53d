internal import CGnuTLS

/// A bound on the keys in the certificates that a peer shows.
///
/// GnuTLS verifies that the peer has the key of its certificate before anybody decides whether to trust that, and
/// neither GnuTLS nor Nettle bounds the key's size (`_gnutls13_recv_certificate_verify` of 3.7.9). With an exponent as
/// long as the modulus, one message of some KiB takes a minute, in which the thread serves nobody.
enum PeerKeyLimit {
  /// The most bits of a key; of RSA, those of its modulus.
  private static let mostBits = 16_384
  /// The most bytes of an RSA key's exponent. The usual one has three.
  private static let mostExponentBytes = 8
  private static let permittedAlgorithms = [
    GNUTLS_PK_RSA, GNUTLS_PK_RSA_PSS, GNUTLS_PK_ECDSA, GNUTLS_PK_EDDSA_ED25519, GNUTLS_PK_EDDSA_ED448,
  ].map { Int32(bitPattern: $0.rawValue) }

  /// Makes the handshake of a session fail with `GNUTLS_E_CERTIFICATE_ERROR` if one of the peer's certificates has a
  /// key above the limit, or cannot be read.
  static func apply(to session: gnutls_session_t) {
    let kind = UInt32(GNUTLS_HANDSHAKE_CERTIFICATE_PKT.rawValue)
    gnutls_handshake_set_hook_function(session, kind, GNUTLS_HOOK_PRE) { session, _, _, isIncoming, message in
      guard isIncoming != 0, let session, let message = message?.pointee else { return 0 }
      let bytes = UnsafeBufferPointer(start: message.data, count: Int(message.size))
      let isNew = gnutls_protocol_get_version(session) == GNUTLS_TLS1_3
      return PeerKeyLimit.permits(bytes, isTLS13: isNew) ? 0 : GNUTLS_E_CERTIFICATE_ERROR
    }
  }

  /// Whether a message with certificates (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2) may be processed.
  private static func permits(_ message: UnsafeBufferPointer<UInt8>, isTLS13: Bool) -> Bool {
    var rest = message[...]
    if isTLS13, take(lengthBytes: 1, from: &rest) == nil { return false }
    guard var list = take(lengthBytes: 3, from: &rest) else { return false }
    while !list.isEmpty {
      guard let certificate = take(lengthBytes: 3, from: &list), permits(certificate: certificate) else { return false }
      if isTLS13, take(lengthBytes: 2, from: &list) == nil { return false }
    }
    return true
  }

  /// Takes a vector that begins with its length; nil if it does not end within `rest`.
  private static func take(
    lengthBytes: Int,
    from rest: inout Slice<UnsafeBufferPointer<UInt8>>
  ) -> Slice<UnsafeBufferPointer<UInt8>>? {
    guard rest.count >= lengthBytes else { return nil }
    let length = rest.prefix(lengthBytes).reduce(0) { $0 << 8 | Int($1) }
    rest = rest.dropFirst(lengthBytes)
    guard rest.count >= length else { return nil }
    defer { rest = rest.dropFirst(length) }
    return rest.prefix(length)
  }

  private static func permits(certificate: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    var made: gnutls_x509_crt_t?
    guard gnutls_x509_crt_init(&made) == GNUTLS_E_SUCCESS, let made else { return false }
    defer { gnutls_x509_crt_deinit(made) }
    let bytes = UnsafeBufferPointer(rebasing: certificate)
    // GnuTLS only reads through the pointer.
    var datum = gnutls_datum_t(data: UnsafeMutablePointer(mutating: bytes.baseAddress), size: UInt32(bytes.count))
    guard gnutls_x509_crt_import(made, &datum, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS else { return false }
    var bits: UInt32 = 0
    let algorithm = gnutls_x509_crt_get_pk_algorithm(made, &bits)
    guard permittedAlgorithms.contains(algorithm), bits <= mostBits else { return false }
    let isRSA = permittedAlgorithms.prefix(2).contains(algorithm)
    return !isRSA || exponentBytes(of: made) <= mostExponentBytes
  }

  /// The length of an RSA key's exponent without leading zeros.
  private static func exponentBytes(of certificate: gnutls_x509_crt_t) -> Int {
    var (modulus, exponent) = (gnutls_datum_t(), gnutls_datum_t())
    guard gnutls_x509_crt_get_pk_rsa_raw(certificate, &modulus, &exponent) == GNUTLS_E_SUCCESS else { return .max }
    defer {
      multistore_gnutls_free(modulus.data)
      multistore_gnutls_free(exponent.data)
    }
    return UnsafeBufferPointer(start: exponent.data, count: Int(exponent.size)).drop { $0 == 0 }.count
  }
}
