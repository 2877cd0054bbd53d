/// Finds the route for a request, or the answer if there is none.
struct HTTPRouter: Sendable {
  enum Outcome {
    case found(HTTPRoute, HTTPMethod, parameter: String?)
    case refused(HTTPResponse)
  }

  private let routes: [HTTPRoute]

  init(_ routes: [HTTPRoute]) {
    self.routes = routes
  }

  /// Returns the route for a method as it was sent and a percent-encoded path.
  func route(method: String, escapedPath: String) -> Outcome {
    // HEAD is GET; libmicrohttpd omits the body of the response.
    let known = HTTPMethod(rawValue: method == "HEAD" ? "GET" : method)
    var allowed: Set<HTTPMethod> = []
    for route in routes {
      guard let match = route.match(escapedPath: escapedPath) else { continue }
      if let known, route.methods.contains(known) { return .found(route, known, parameter: match.parameter) }
      allowed.formUnion(route.methods)
    }
    return .refused(allowed.isEmpty ? notFound() : methodNotAllowed(allowed))
  }

  private func notFound() -> HTTPResponse {
    var known: [String] = []
    for route in routes where !known.contains(route.path) { known.append(route.path) }
    return .text("Nothing is here. Known paths: \(known.joined(separator: " "))", status: 404)
  }

  private func methodNotAllowed(_ allowed: Set<HTTPMethod>) -> HTTPResponse {
    var names: [String] = []
    for method in HTTPMethod.allCases where allowed.contains(method) {
      names.append(method.rawValue)
      if method == .get { names.append("HEAD") }
    }
    let list = names.joined(separator: ", ")
    return .text("This path does not take that method. It takes \(list).", status: 405).adding("Allow", list)
  }
}
