/// A path, the methods it answers, and what answers them.
public struct HTTPRoute: Sendable {
  /// Answers one request, on the server's thread: what takes long keeps other requests waiting.
  public typealias Handler = @Sendable (HTTPRequest) -> HTTPResponse

  /// The methods that the handler takes.
  public let methods: Set<HTTPMethod>
  /// A path such as `/metrics`, or one whose last segment is free, such as `/api/v4/features/{name}`.
  public let path: String
  /// Whether clients have to be who the server's ``HTTPAccess`` asks for. Probes of an orchestrator are nobody.
  public let requiresAuthorization: Bool
  /// Whether the answer depends on the path, the query and `Accept` alone, so that requests that are there together can
  /// have the same one.
  public let isShared: Bool
  let handler: Handler

  /// A route.
  ///
  /// - Parameters:
  ///   - methods: The methods that the handler takes.
  ///   - path: Begins with `/`; a last segment in braces stands for any one segment.
  ///   - requiresAuthorization: Whether clients have to be who the server asks for.
  ///   - isShared: Whether requests that are there together can have the same answer.
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

  /// What a path that is still percent-encoded has to do with this route.
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
