import Foundation
import TestSupport

/// A dashboard of the repository, as far as tests look into it.
struct Dashboard {
  /// One query, with what is shown of its result.
  struct Query {
    /// Where it is, for a person: dashboard, panel and letter.
    let place: String
    let expression: String
    let isInstant: Bool
    /// The labels that the legend, the table or the annotation names.
    let labels: Set<String>
  }

  static let names = ["multistore-overview", "multistore-instance"]

  let name: String
  let json: JSONValue

  /// Reads `dashboards/NAME.json`.
  init(_ name: String) throws {
    self.name = name
    let file = Repository.dashboards.appendingPathComponent("\(name).json")
    json = try JSONValue(parsing: String(contentsOf: file, encoding: .utf8))
  }

  /// Rows and panels, in their order.
  var all: [JSONValue] { json["panels"]?.elements ?? [] }

  /// The panels alone.
  var panels: [JSONValue] { all.filter { $0["type"]?.string != "row" } }

  var variables: [JSONValue] { json["templating"]?["list"]?.elements ?? [] }
  var annotations: [JSONValue] { json["annotations"]?["list"]?.elements ?? [] }

  /// Every expression that Grafana would send to Prometheus.
  var queries: [Query] {
    let ofPanels = panels.flatMap { panel in
      (panel["targets"]?.elements ?? []).map { target in
        Query(
          place: "\(name), \(panel["title"]?.string ?? "?"), \(target["refId"]?.string ?? "?")",
          expression: target["expr"]?.string ?? "",
          isInstant: target["instant"]?.bool == true,
          labels: Self.labels(in: target["legendFormat"]?.string ?? "").union(Self.columns(of: panel))
        )
      }
    }
    let ofAnnotations = annotations.map { annotation in
      Query(
        place: "\(name), annotation \(annotation["name"]?.string ?? "?")",
        expression: annotation["expr"]?.string ?? "",
        isInstant: false,
        labels: Self.labels(in: annotation["titleFormat"]?.string ?? "")
      )
    }
    return ofPanels + ofAnnotations
  }

  /// The labels that a legend names: `{{label}}`.
  private static func labels(in legend: String) -> Set<String> {
    Set(legend.matches(of: /\{\{\s*(\w+)\s*\}\}/).map { String($0.1) })
  }

  /// The labels that a table shows.
  private static func columns(of panel: JSONValue) -> Set<String> {
    let options = panel["transformations"]?.elements?.first?["options"]?["includeByName"]
    if case .object(let columns) = options { return Set(columns.keys) }
    return []
  }
}
