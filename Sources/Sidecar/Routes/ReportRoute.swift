internal import HTTPServer
internal import Status

extension HTTPRoute {
  /// A route that answers with a report: `?instance=NAME` shows one instance alone, and `?format=table` answers with
  /// text for a terminal instead of JSON.
  ///
  /// - Parameter report: Called on the server's thread for each answer; it must not wait for an instance.
  static func report(_ path: String, _ report: @escaping @Sendable () -> some InstancesReport) -> HTTPRoute {
    HTTPRoute([.get], path, isShared: true) { answer($0, report()) }
  }

  private static func answer(_ request: HTTPRequest, _ whole: some InstancesReport) -> HTTPResponse {
    var report = whole
    var format = ReportFormat.json
    for field in request.query {
      switch field.name {
      case "format":
        guard let known = ReportFormat(rawValue: field.value) else {
          return .text("format has to be json or table.", status: 400)
        }
        format = known
      case "instance":
        guard whole.names.contains(field.value) else {
          return .text("There is no such instance. Known instances: \(whole.names.joined(separator: " "))", status: 404)
        }
        report = whole.showing(only: field.value)
      default:
        return .text("This takes the parameters instance and format, and no others.", status: 400)
      }
    }
    return switch format {
    case .json: .json(report.json + "\n")
    case .table: .plain(report.text)
    }
  }
}
