/// What may be asked of a report about instances: `?instance=NAME` shows one alone, and `?format=table` answers with
/// text for a terminal instead of JSON, so that the command line and curl show the same.
public struct ReportQuery: Sendable, Hashable {
  /// How a report is shown. Raw values are values of the parameter `format`.
  public enum Format: String, Sendable, CaseIterable {
    /// For programs.
    case json
    /// For a terminal.
    case table
  }

  /// The instance to show; nil for all of them.
  public var instance: String?
  /// How to show it.
  public var format = Format.json

  /// A question.
  public init(instance: String? = nil, format: Format = .json) {
    self.instance = instance
    self.format = format
  }

  /// The path with this question, for a client.
  public func path(of path: String) -> String {
    let instance = instance.map { "&instance=\(PercentEncoding.encode($0))" } ?? ""
    return "\(path)?format=\(format.rawValue)\(instance)"
  }

  func shows(_ name: String) -> Bool { instance == nil || instance == name }

  /// Answers a request with what `answer` makes of its question, or says what is wrong with it.
  ///
  /// - Parameter instances: the names that there are.
  static func answer(
    _ request: HTTPRequest,
    instances: [String],
    _ answer: (ReportQuery) -> HTTPResponse
  ) -> HTTPResponse {
    var query = ReportQuery()
    for field in request.query {
      switch field.name {
      case "format":
        guard let known = Format(rawValue: field.value) else {
          return .text("format has to be \(Format.allCases.map(\.rawValue).joined(separator: " or ")).", status: 400)
        }
        query.format = known
      case "instance":
        guard instances.contains(field.value) else {
          return .text("There is no such instance. Known instances: \(instances.joined(separator: " "))", status: 404)
        }
        query.instance = field.value
      default:
        return .text("This takes the parameters instance and format, and no others.", status: 400)
      }
    }
    return answer(query)
  }
}
