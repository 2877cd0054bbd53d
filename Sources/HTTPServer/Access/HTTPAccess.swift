internal import Sockets
public import protocol TLS.TLSCredentialSource

/// A listener's requirements on its clients, and the header fields of its answers. The probes' routes require no
/// authorization.
public struct HTTPAccess: Sendable {
  /// The content of the `Authorization` header that is required.
  public enum Authorization: Sendable {
    /// Nothing.
    case none
    /// A secret.
    case bearer(BearerToken)
    /// A name and a password.
    case basic(BasicAuthentication)
  }

  /// The source of certificate, key and the requirements on clients' certificates, which is asked for each connection
  /// and each request; nil for plain HTTP.
  public var tls: (any TLSCredentialSource)?
  /// The authorization that is required.
  public var authorization: Authorization
  /// Header fields of every answer; they replace fields of the same name.
  public var headers: [HTTPField]
  /// The limit on the rate of requests; nil for none.
  public var rateLimiter: RateLimiter?
  /// Whether a browser under another name than the listener's gets no answer to a GET either.
  public var guardsReads: Bool

  /// Creates requirements; the default admits every client.
  public init(
    tls: (any TLSCredentialSource)? = nil,
    authorization: Authorization = .none,
    headers: [HTTPField] = [],
    rateLimiter: RateLimiter? = nil,
    guardsReads: Bool = false
  ) {
    self.tls = tls
    self.authorization = authorization
    self.headers = headers
    self.rateLimiter = rateLimiter
    self.guardsReads = guardsReads
  }

  /// Whether a browser sends the authorization without a script, as it does with all but a bearer token.
  var isSentByBrowsers: Bool { if case .bearer = authorization { false } else { true } }

  /// Returns the answer to a client that is refused; nil for one that is admitted.
  ///
  /// - Parameters:
  ///   - header: The `Authorization` header.
  ///   - network: The client's network; nil for a unix socket.
  ///   - certificateProblem: The problem with the client's certificate, which may be missing; nil for none.
  func refusal(
    authorization header: String?,
    from network: PeerNetwork?,
    certificateProblem: String?
  ) -> HTTPResponse? {
    if let certificateProblem {
      // Another certificate needs another handshake.
      return .text(certificateProblem, status: 403).adding("Connection", "close")
    }
    if let rateLimiter, !rateLimiter.admits() {
      return .text("Too many requests; the rate_limit of this listener is reached.", status: 429)
    }
    switch authorization {
    case .none: return nil
    case .bearer(let token):
      guard !token.isShown(by: header) else { return nil }
      return .text(
        "This needs the bearer token: Authorization: Bearer TOKEN. The command line reads it from --admin.token-file.",
        status: 401
      )
      .adding("WWW-Authenticate", "Bearer realm=\"multistore-exporter\"")
    case .basic(let authentication):
      switch authentication.verdict(on: header, from: network) {
      case .accepted: return nil
      case .refused:
        return .text("This needs a name and a password.", status: 401)
          .adding("WWW-Authenticate", "Basic realm=\"multistore-exporter\", charset=\"UTF-8\"")
      case .overloaded:
        return .text("Too many passwords that are not known; try again in a second.", status: 429)
          .adding("Retry-After", "1")
      }
    }
  }
}
