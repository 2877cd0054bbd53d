internal import HTTPServer
internal import Status

/// The status of each migration: a page for browsers at `/status`, and a report for programs and terminals. All of them
/// are read-only.
struct StatusRoutes {
  /// The path of the page.
  static let pagePath = "/status"

  private static let stylePath = "/status.css"
  private static let scriptPath = "/status.js"
  private static let iconPath = "/status.svg"
  /// All paths.
  static let paths = [pagePath, AdminPath.status, stylePath, scriptPath, iconPath]

  /// The page with the files that it loads.
  let page: [HTTPRoute]
  /// The report for programs and terminals.
  let api: HTTPRoute

  /// Creates the routes.
  ///
  /// - Parameter report: Called on the server's thread for each answer; it must not wait for an instance.
  init(_ report: @escaping @Sendable () -> StatusReport) {
    page = [
      HTTPRoute([.get], Self.pagePath, isShared: true) { _ in
        HTTPResponse.page(report().page).adding("Referrer-Policy", "no-referrer")
      },
      Self.asset(Self.stylePath, StatusStyle.css, "text/css; charset=utf-8"),
      Self.asset(Self.scriptPath, StatusScript.javaScript, "text/javascript; charset=utf-8"),
      Self.asset(Self.iconPath, StatusStyle.icon, "image/svg+xml"),
    ]
    api = .report(AdminPath.status, report)
  }

  private static func asset(_ path: String, _ text: String, _ contentType: String) -> HTTPRoute {
    let response = HTTPResponse.bytes(Array(text.utf8), contentType: contentType)
    return HTTPRoute([.get], path) { _ in response }
  }
}

extension HTTPResponse {
  /// Returns a document with its policy.
  static func page(_ document: HTMLDocument) -> HTTPResponse {
    HTTPResponse.html(document.html).adding("Content-Security-Policy", document.contentSecurityPolicy)
  }
}
