/// What a listener asks of its clients, and what it adds to its answers. Routes that require no authorization, which
/// are the probes, are answered to everybody.
public struct HTTPAccess: Sendable {
  /// What a client has to send in its `Authorization` header.
  public enum Authorization: Sendable {
    /// Nothing.
    case none
    /// A secret.
    case bearer(BearerToken)
    /// A name and a password.
    case basic(BasicAuthentication)
  }

  /// Certificate and key, and what is asked of clients' certificates; nil for plain HTTP.
  public var tls: TLSCredentials?
  /// What has to be in the `Authorization` header.
  public var authorization: Authorization
  /// Fields of every answer, in the place of fields of the same name.
  public var headers: [HTTPField]
  /// How many requests are answered; nil for as many as come.
  public var rateLimiter: RateLimiter?

  /// Everybody may come, unless said otherwise.
  public init(
    tls: TLSCredentials? = nil,
    authorization: Authorization = .none,
    headers: [HTTPField] = [],
    rateLimiter: RateLimiter? = nil
  ) {
    self.tls = tls
    self.authorization = authorization
    self.headers = headers
    self.rateLimiter = rateLimiter
  }

  /// Whether a browser sends by itself what is asked for. It never does with a bearer token.
  var isSentByBrowsers: Bool { if case .bearer = authorization { false } else { true } }

  /// The answer to a client that may not come; nil for one that may.
  ///
  /// - Parameters:
  ///   - header: The `Authorization` header.
  ///   - certificateProblem: What is wrong with the client's certificate, or that there is none; nil if nothing is.
  func refusal(authorization header: String?, certificateProblem: String?) -> HTTPResponse? {
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
      switch authentication.verdict(on: header) {
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
