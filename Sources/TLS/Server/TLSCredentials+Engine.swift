internal import CGnuTLS

extension TLSCredentials {
  /// Makes an engine for a connection that a listener has accepted.
  public func makeEngine() -> TLSEngine {
    var made: gnutls_session_t?
    let flags = UInt32(GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL)
    guard gnutls_init(&made, flags) == GNUTLS_E_SUCCESS, let session = made else { fatalError("out of memory for TLS") }
    equip(session)
    return TLSEngine(takingOwnershipOf: session, role: .server(self))
  }
}

extension TLSEngine {
  /// The sentence with which the peer's certificate is refused; nil if it is accepted, and for a client's engine. To be
  /// asked for after the handshake, which requests a certificate and does not verify it.
  public var clientRefusal: String? {
    guard case .server(let credentials) = role else { return nil }
    return credentials.refusal(of: session)
  }
}
