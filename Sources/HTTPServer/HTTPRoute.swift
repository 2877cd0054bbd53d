/// A path, its methods and their handler.
public struct HTTPRoute: Sendable {
  /// Answers one request, on the server's thread; a slow handler delays other requests.
  public typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

  /// The methods that the handler takes.
  public let methods: Set<HTTPMethod>
  /// A path such as `/metrics`, or one whose last segment is free, such as `/api/v4/features/{name}`.
  public let path: String
  /// Whether clients need the authorization of ``HTTPAccess``. An orchestrator's probes have none.
  public let requiresAuthorization: Bool
  /// Whether the answer depends on the path, the query and `Accept` alone, so that requests of one turn can share it.
  public let isShared: Bool
  let handler: Handler

  /// Creates a route.
  ///
  /// - Parameters:
  ///   - methods: The methods that the handler takes.
  ///   - path: Begins with `/`; a last segment in braces stands for any one segment.
  ///   - requiresAuthorization: Whether clients need the server's authorization.
  ///   - isShared: Whether requests of one turn can share an answer.
  ///   - handler: Answers one request, on the server's thread.
  public init(
    _ methods: Set<HTTPMethod>,
    _ path: String,
    requiresAuthorization: Bool = true,
    isShared: Bool = false,
    handler: @escaping Handler
  ) {
    precondition(path.hasPrefix("/"), "a route's path begins with '/': \(path)")
    self.methods = methods
    self.path = path
    self.requiresAuthorization = requiresAuthorization
    self.isShared = isShared
    self.handler = handler
  }

  /// Matches a percent-encoded path; nil for another route's.
  ///
  /// The path is split before it is decoded, so that an encoded slash stays part of a name.
  func match(escapedPath: String) -> Match? {
    guard let brace = path.lastIndex(of: "{"), path.hasSuffix("}") else {
      return PercentEncoding.decode(escapedPath) == path ? Match(parameter: nil) : nil
    }
    let prefix = path[..<brace]
    guard escapedPath.hasPrefix(prefix) else { return nil }
    let segment = escapedPath.dropFirst(prefix.count)
    guard !segment.isEmpty, !segment.contains("/"), let name = PercentEncoding.decode(segment) else { return nil }
    return Match(parameter: name)
  }

  struct Match {
    let parameter: String?
  }
}
