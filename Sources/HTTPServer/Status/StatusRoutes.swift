/// The status of a migration: a page for people at `/status`, and the same for programs and terminals at
/// `/api/v4/status`. Nothing here changes anything.
public struct StatusRoutes: Sendable {
  /// The path of the page.
  public static let pagePath = "/status"
  /// The path of the report as JSON, or as text with `?format=table`; see ``ReportQuery``.
  public static let apiPath = "/api/v4/status"

  private static let stylePath = "/status.css"
  private static let scriptPath = "/status.js"
  private static let iconPath = "/status.svg"
  /// All of them.
  static let paths = [pagePath, apiPath, stylePath, scriptPath, iconPath]

  /// The page with what it is made of.
  public let page: [HTTPRoute]
  /// The report for programs.
  public let api: [HTTPRoute]

  /// The routes.
  ///
  /// - Parameter reporting: asked on the server's thread.
  public init(_ reporting: any StatusReporting) {
    page = [
      HTTPRoute([.get], Self.pagePath, isShared: true) { _ in
        .html(StatusPage(report: reporting.report()).html.markup)
          .adding("Content-Security-Policy", StatusPage.contentSecurityPolicy)
          .adding("Referrer-Policy", "no-referrer")
      },
      Self.asset(Self.stylePath, StatusStyle.css, "text/css; charset=utf-8"),
      Self.asset(Self.scriptPath, StatusScript.javaScript, "text/javascript; charset=utf-8"),
      Self.asset(Self.iconPath, StatusStyle.icon, "image/svg+xml"),
    ]
    api = [HTTPRoute([.get], Self.apiPath, isShared: true) { Self.show($0, reporting.report()) }]
  }

  private static func asset(_ path: String, _ text: String, _ contentType: String) -> HTTPRoute {
    let response = HTTPResponse.bytes(Array(text.utf8), contentType: contentType)
    return HTTPRoute([.get], path) { _ in response }
  }

  private static func show(_ request: HTTPRequest, _ report: StatusReport) -> HTTPResponse {
    ReportQuery.answer(request, instances: report.instances.map(\.name)) { query in
      var report = report
      report.instances.removeAll { !query.shows($0.name) }
      return switch query.format {
      case .json: .json(report.json + "\n")
      case .table: .plain(StatusText(report: report).text)
      }
    }
  }
}
