internal import Sockets
internal import Synchronization

/// Returns the response to a complete request, without any I/O. Called on the server's thread; the counters may be read
/// from any thread.
final class HTTPDispatcher: Sendable {
  /// A request as libmicrohttpd has split it, not decoded.
  struct RawRequest {
    let method: String
    let escapedPath: String
    let escapedQuery: [HTTPField]
    let headers: [HTTPField]
    let body: [UInt8]
    let isBodyComplete: Bool
    /// The client's network; nil for a unix socket.
    let network: PeerNetwork?
    /// The reason for refusing the client's certificate; nil if it is accepted.
    let certificateProblem: String?
  }

  let limits: HTTPLimits
  private let router: HTTPRouter
  private let current: Mutex<HTTPAccess>
  private let crossSiteGuard: CrossSiteGuard
  private let sharedPages = SharedPages()
  private let answered = Atomic(0)
  private let denied = Atomic(0)
  private let oversized = Atomic(0)

  init(router: HTTPRouter, limits: HTTPLimits, access: HTTPAccess, crossSiteGuard: CrossSiteGuard) {
    self.router = router
    self.limits = limits
    current = Mutex(access)
    self.crossSiteGuard = crossSiteGuard
  }

  /// The requirements on clients, from the next connection and the next request on.
  var access: HTTPAccess {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  var counts: (answered: Int, denied: Int, oversized: Int) {
    (answered.load(ordering: .relaxed), denied.load(ordering: .relaxed), oversized.load(ordering: .relaxed))
  }

  /// Drops the pages that requests of this turn have shared.
  func endTurn() {
    sharedPages.removeAll()
  }

  /// Returns the response of the route or a refusal, with the header fields that every response has.
  func respond(to request: RawRequest) -> HTTPResponse {
    answered.wrappingAdd(1, ordering: .relaxed)
    let access = access
    let response = answer(request, access)
    if response.status == 401 || response.status == 403 { denied.wrappingAdd(1, ordering: .relaxed) }
    return Self.finish(response, access)
  }

  /// Returns the response to a request that is refused for its header fields alone; nil if its body is to be read. The
  /// library closes the connection after such a response.
  func refusal(beforeBodyOf headers: [HTTPField]) -> HTTPResponse? {
    let refusal: HTTPResponse
    if let sentence = MessageFraming.problem(in: headers) {
      refusal = .text(sentence, status: 400).adding("Connection", "close")
    } else {
      let announced = headers.joinedValue(of: "Content-Length").flatMap(Int.init) ?? 0
      guard announced > limits.drainedBodyBytes else { return nil }
      refusal = oversizedBody()
    }
    answered.wrappingAdd(1, ordering: .relaxed)
    return Self.finish(refusal, access)
  }

  private func answer(_ request: RawRequest, _ access: HTTPAccess) -> HTTPResponse {
    let acceptsGzip = ContentCoding.acceptsGzip(request.headers.joinedValue(of: "Accept-Encoding"))
    switch router.route(method: request.method, escapedPath: request.escapedPath) {
    case .refused(let response):
      return (accessRefusal(of: request, access) ?? response).compressed(if: acceptsGzip)
    case .found(let route, let method, let parameter):
      if let refusal = refusal(of: request, access, route: route, method: method) { return refusal }
      return sharedPages.page(for: request, of: route, isCompressed: acceptsGzip) {
        handle(request, route, method, parameter).compressed(if: acceptsGzip)
      }
    }
  }

  private func handle(
    _ request: RawRequest,
    _ route: HTTPRoute,
    _ method: HTTPMethod,
    _ parameter: String?
  ) -> HTTPResponse {
    let query = Self.decode(request.escapedQuery)
    let isForm = request.headers.mediaType == "application/x-www-form-urlencoded"
    let form = isForm ? PercentEncoding.decodeForm(request.body) : []
    guard let query, let form, let path = PercentEncoding.decode(request.escapedPath) else {
      return .text("The query or the form is not valid percent-encoded UTF-8.", status: 400)
    }
    return route.handler(
      HTTPRequest(
        method: method,
        path: path,
        pathParameter: parameter,
        query: query,
        form: form,
        headers: request.headers,
        body: request.body
      )
    )
  }

  private func refusal(
    of request: RawRequest,
    _ access: HTTPAccess,
    route: HTTPRoute,
    method: HTTPMethod
  ) -> HTTPResponse? {
    if route.requiresAuthorization, let refusal = accessRefusal(of: request, access) { return refusal }
    if let sentence = crossSiteGuard.refusal(method: method, headers: request.headers) {
      return .text(sentence, status: 403)
    }
    return request.isBodyComplete ? nil : oversizedBody()
  }

  private func accessRefusal(of request: RawRequest, _ access: HTTPAccess) -> HTTPResponse? {
    access.refusal(
      authorization: request.headers.joinedValue(of: "Authorization"),
      from: request.network,
      certificateProblem: request.certificateProblem
    )
  }

  private func oversizedBody() -> HTTPResponse {
    oversized.wrappingAdd(1, ordering: .relaxed)
    return .text("The body of a request may have \(limits.maximumBodyBytes) bytes, and not more.", status: 413)
  }

  private static func finish(_ response: HTTPResponse, _ access: HTTPAccess) -> HTTPResponse {
    var finished = response.adding("X-Content-Type-Options", "nosniff").adding("Cache-Control", "no-store")
    let replaced = Set(access.headers.map { $0.name.lowercased() })
    finished.headers.removeAll { replaced.contains($0.name.lowercased()) }
    finished.headers += access.headers
    return finished
  }

  private static func decode(_ fields: [HTTPField]) -> [HTTPField]? {
    var decoded: [HTTPField] = []
    for field in fields {
      guard let name = PercentEncoding.decode(field.name), let value = PercentEncoding.decode(field.value) else {
        return nil
      }
      decoded.append(HTTPField(name, value))
    }
    return decoded
  }
}
