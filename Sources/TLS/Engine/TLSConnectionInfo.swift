internal import CGnuTLS

/// The outcome of a handshake.
public struct TLSConnectionInfo: Sendable, Equatable {
  /// The protocol's version, such as `TLS1.3`.
  public let version: String
  /// The cipher, such as `AES-256-GCM`.
  public let cipher: String
  /// Whether an earlier session was resumed, without certificates being sent.
  public let isResumed: Bool
  /// The expiration of the peer's certificate, in Unix time; nil if it has shown none.
  public let peerExpiration: Int?
}

extension TLSEngine {
  /// The outcome of the handshake; nil before that.
  public var info: TLSConnectionInfo? {
    guard isWritable else { return nil }
    return TLSConnectionInfo(
      version: gnutls_protocol_get_name(gnutls_protocol_get_version(session)).map { String(cString: $0) } ?? "unknown",
      cipher: gnutls_cipher_get_name(gnutls_cipher_get(session)).map { String(cString: $0) } ?? "unknown",
      isResumed: gnutls_session_is_resumed(session) != 0,
      peerExpiration: PeerCertificate(of: session)?.expiration
    )
  }
}
