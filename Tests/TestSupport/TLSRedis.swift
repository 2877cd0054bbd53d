/// A real server that speaks TLS on a port of 127.0.0.1, and plain Redis on a unix socket for the test itself.
public final class TLSRedis: Sendable {
  /// The requirement on clients' certificates (`tls-auth-clients`).
  public enum Clients: String, Sendable {
    /// None is requested.
    case unverified = "no"
    /// One of the authority is required.
    case required = "yes"
  }

  /// The server; its unix socket is a plain one.
  public let redis: RedisServer
  /// The port with TLS.
  public let port: UInt16

  /// Starts a server with a certificate.
  ///
  /// - Parameters:
  ///   - authority: The authority of clients' certificates.
  ///   - settings: Further lines of its configuration file.
  /// - Throws: ``TestSupportError``, as for ``RedisServer``.
  public init(
    _ certificate: CertificateAuthority.Certificate,
    authority: CertificateAuthority,
    clients: Clients = .unverified,
    password: String? = nil,
    settings: [String] = []
  ) throws {
    port = try freePort()
    redis = try RedisServer(
      password: password,
      settings: [
        "tls-port \(port)", "tls-cert-file \(certificate.certificate)", "tls-key-file \(certificate.key)",
        "tls-ca-cert-file \(authority.certificate)", "tls-auth-clients \(clients.rawValue)",
      ] + settings
    )
  }

  /// Its port as a URL; the host is the one that certificates are made for unless told otherwise.
  public var url: String { "rediss://127.0.0.1:\(port)" }

  /// Makes the server use another certificate for new connections, as a rotation does.
  public func use(_ certificate: CertificateAuthority.Certificate) throws {
    let names = ["tls-cert-file", certificate.certificate, "tls-key-file", certificate.key]
    let reply = try redis.client().command(["CONFIG", "SET"] + names)
    guard reply == .ok else { throw TestSupportError(.process, "CONFIG SET answered \(reply)") }
  }
}
