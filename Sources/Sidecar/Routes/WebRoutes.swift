internal import HTTPServer
internal import Status

/// A telemetry path that cannot be used.
struct TelemetryPathError: Error, Hashable, CustomStringConvertible {
  /// The path as it was given.
  let path: String
  /// The mistake.
  let reason: String

  /// One sentence with the path, the mistake and what would be right.
  var description: String { "'\(path)' cannot be the telemetry path: \(reason); the usual one is /metrics" }
}

/// The routes of the web listeners: the metrics page, the probes and the landing page.
struct WebRoutes {
  /// Renders the metrics page for the value of an `Accept` header, on the server's thread.
  typealias MetricsPage = @Sendable (_ accept: String?) -> (contentType: String, body: [UInt8])

  /// The path of the liveness probe: 200 as long as the process answers.
  static let healthyPath = "/-/healthy"
  /// The path of the readiness probe: 503 while a default store is down.
  static let readyPath = "/-/ready"

  /// The routes.
  let routes: [HTTPRoute]

  /// Creates the routes.
  ///
  /// - Parameters:
  ///   - telemetryPath: The path of the metrics page; `/` replaces the landing page.
  ///   - landingPage: The page at `/`; links to the metrics page and to the probes are put before its own.
  ///   - metricsPage: Renders the metrics page, on the server's thread.
  ///   - readiness: Called for each readiness probe, on the server's thread; it must not wait for a store.
  /// - Throws: ``TelemetryPathError`` for a path that no scraper could request.
  init(
    telemetryPath: String = "/metrics",
    landingPage: LandingPage,
    metricsPage: @escaping MetricsPage,
    readiness: @escaping @Sendable () -> Readiness
  ) throws(TelemetryPathError) {
    try Self.check(telemetryPath)
    var routes = [
      HTTPRoute([.get], telemetryPath, isShared: true) { request in
        let rendered = metricsPage(request.header("Accept"))
        return .bytes(rendered.body, contentType: rendered.contentType).adding("Vary", "Accept")
      },
      HTTPRoute([.get], Self.healthyPath, requiresAuthorization: false) { _ in .text("Healthy.") },
      HTTPRoute([.get], Self.readyPath, requiresAuthorization: false) { _ in Self.response(to: readiness()) },
    ]
    if telemetryPath != "/" {
      var landingPage = landingPage
      landingPage.links.insert(
        contentsOf: [
          LandingPage.Link(address: telemetryPath, text: "Metrics", description: "in Prometheus' text format"),
          LandingPage.Link(address: Self.healthyPath, text: "Health", description: "whether the process answers"),
          LandingPage.Link(address: Self.readyPath, text: "Readiness", description: "which stores are missing"),
        ],
        at: 0
      )
      let response = HTTPResponse.page(landingPage.page)
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
