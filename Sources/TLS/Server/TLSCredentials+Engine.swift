internal import CGnuTLS

extension TLSCredentials {
  /// The most bytes of a client's handshake: a greeting takes a few hundred, or two KiB with new kinds of keys. GnuTLS
  /// keeps up to 16 MiB of a message that has not arrived whole, and anybody can open many connections.
  private static let longestHandshake = 16 << 10
  /// The same with the client's certificates.
  private static let longestHandshakeWithCertificates = 64 << 10

  /// Makes an engine for a connection that a listener has accepted.
  public func makeEngine() -> TLSEngine {
    var made: gnutls_session_t?
    let flags = UInt32(GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL)
    guard gnutls_init(&made, flags) == GNUTLS_E_SUCCESS, let session = made else { fatalError("out of memory for TLS") }
    equip(session)
    offerTickets(session)
    let hasCertificates = settings.clientAuthentication != .none
    return TLSEngine(
      takingOwnershipOf: session,
      role: .server(self),
      handshakeLimit: hasCertificates ? Self.longestHandshakeWithCertificates : Self.longestHandshake
    )
  }
}

extension TLSEngine {
  /// The sentence with which the peer's certificate is refused; nil if it is accepted, and for a client's engine. To be
  /// asked for after the handshake, which requests a certificate and does not verify it.
  public var clientRefusal: String? {
    guard case .server(let credentials) = role else { return nil }
    return credentials.refusal(of: session)
  }

  /// The names of a client's certificate that was verified: its common name and the alternative ones. None for a client
  /// without one, and for a client's engine.
  public var clientNames: [String] {
    guard case .server(let credentials) = role else { return [] }
    return credentials.verifiedNames(of: session)
  }
}
