/// Whether the process can do its work now.
public enum Readiness: Sendable, Hashable {
  /// Every store that is needed is there.
  case ready
  /// These stores are missing.
  case unready([UnreadyStore])
  /// No new client should come any more.
  case shuttingDown
}

/// A store that an instance needs and does not reach.
public struct UnreadyStore: Sendable, Hashable {
  /// The instance's name.
  public let instance: String
  /// The store's name, such as `primary`.
  public let store: String
  /// Why it is not there, without secrets.
  public let reason: String

  /// A missing store.
  public init(instance: String, store: String, reason: String) {
    self.instance = instance
    self.store = store
    self.reason = reason
  }
}

/// A telemetry path that cannot be used.
public struct TelemetryPathError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The path as it was given.
  public let path: String
  /// What is wrong with it.
  public let reason: String

  /// One sentence with the path, the mistake and what would be right.
  public var description: String { "'\(path)' cannot be the telemetry path: \(reason); the usual one is /metrics" }
}

/// The routes of the scraped listener: the metrics page, the probes and the landing page.
public struct MetricsRoutes: Sendable {
  /// Renders the metrics page for the value of an `Accept` header, on the server's thread.
  public typealias Page = @Sendable (_ accept: String?) -> (contentType: String, body: [UInt8])

  /// The path of the liveness probe: 200 for as long as the process answers.
  public static let healthyPath = "/-/healthy"
  /// The path of the readiness probe: 503 while a store is missing.
  public static let readyPath = "/-/ready"

  /// What to give to ``HTTPServer``.
  public let routes: [HTTPRoute]

  /// The routes.
  ///
  /// - Parameters:
  ///   - telemetryPath: Where the metrics page is; `/` leaves out the landing page.
  ///   - landingPage: What is said at `/`; a link to the metrics page and to the probes is added.
  ///   - page: Renders the metrics page, on the server's thread.
  ///   - readiness: Asked for each readiness probe, on the server's thread; it must not wait for a store.
  /// - Throws: ``TelemetryPathError`` for a path that no scraper could ask for.
  public init(
    telemetryPath: String = "/metrics",
    landingPage: LandingPage,
    page: @escaping Page,
    readiness: @escaping @Sendable () -> Readiness
  ) throws(TelemetryPathError) {
    try Self.check(telemetryPath)
    var routes = [
      HTTPRoute([.get], telemetryPath, isShared: true) { request in
        let rendered = page(request.header("Accept"))
        return .bytes(rendered.body, contentType: rendered.contentType).adding("Vary", "Accept")
      },
      HTTPRoute([.get], Self.healthyPath, requiresAuthorization: false) { _ in .text("Healthy.") },
      HTTPRoute([.get], Self.readyPath, requiresAuthorization: false) { _ in Self.response(to: readiness()) },
    ]
    if telemetryPath != "/" {
      let links = [
        LandingPage.Link(address: telemetryPath, text: "Metrics", description: "in Prometheus' text format"),
        LandingPage.Link(address: Self.healthyPath, text: "Health", description: "whether the process answers"),
        LandingPage.Link(address: Self.readyPath, text: "Readiness", description: "which stores are missing"),
      ]
      let response = landingPage.response(links: links)
      routes.insert(HTTPRoute([.get], "/") { _ in response }, at: 0)
    }
    self.routes = routes
  }

  private static func check(_ path: String) throws(TelemetryPathError) {
    let reason: String? =
      if !path.hasPrefix("/") {
        "it has to begin with '/'"
      } else if path == healthyPath || path == readyPath {
        "a probe has that path"
      } else if StatusRoutes.paths.contains(path) {
        "the status page has that path"
      } else if !path.utf8.allSatisfy({ (0x21...0x7e).contains($0) && !"?#%{}".utf8.contains($0) }) {
        "it may have no spaces, no '?', '#', '%', '{' or '}', and nothing but ASCII"
      } else {
        nil
      }
    if let reason { throw TelemetryPathError(path: path, reason: reason) }
  }

  private static func response(to readiness: Readiness) -> HTTPResponse {
    switch readiness {
    case .ready: .text("Ready.")
    case .shuttingDown: .text("Shutting down.", status: 503)
    case .unready(let stores):
      .text(
        stores.map { "\($0.instance): the \($0.store) store is not there: \($0.reason)" }.joined(separator: "\n"),
        status: 503
      )
    }
  }
}
