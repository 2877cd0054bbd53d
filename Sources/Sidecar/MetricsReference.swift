internal import PrometheusExposition
internal import Status

/// The reference of all metrics, from the descriptions that the registry uses.
public enum MetricsReference {
  /// The formats of the reference.
  public enum Format: String, Sendable, CaseIterable {
    /// Columns for a terminal.
    case table
    /// A list of objects for programs.
    case json
    /// The table in `deploy/observability.md`.
    case markdown
  }

  private static let header = ["name", "kind", "labels", "meaning"]

  /// Returns all metrics in the order of the tables in the source, with a line end at its end.
  public static func text(_ format: Format) -> String {
    switch format {
    case .table: table(SidecarMetrics.all)
    case .json: "[\n\(SidecarMetrics.all.map(json).joined(separator: ",\n"))\n]\n"
    case .markdown: markdown(SidecarMetrics.all)
    }
  }

  private static func markdown(_ metrics: [MetricDescriptor]) -> String {
    let rows = metrics.map { metric in
      let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
      return "| `\(metric.name)` | \(metric.kind.typeName) | \(labels) | \(metric.help) |"
    }
    let head = ["| \(header.joined(separator: " | ")) |", "|\(header.map { _ in "---" }.joined(separator: "|"))|"]
    return (head + rows).joined(separator: "\n") + "\n"
  }

  private static func table(_ metrics: [MetricDescriptor]) -> String {
    let rows = metrics.map { metric in
      [
        metric.name, metric.kind.typeName, metric.labels.isEmpty ? "-" : metric.labels.joined(separator: ","),
        metric.help,
      ]
    }
    return TextTable.aligned([header.map { $0.uppercased() }] + rows)
  }

  private static func json(_ metric: MetricDescriptor) -> String {
    var members: [(key: String, value: String)] = [
      ("name", JSONText.quote(metric.name)), ("kind", JSONText.quote(metric.kind.typeName)),
      ("labels", JSONText.array(metric.labels.map(JSONText.quote))), ("meaning", JSONText.quote(metric.help)),
    ]
    if case .histogram(let bounds) = metric.kind {
      members.append(("buckets", JSONText.array(bounds.map { "\($0)" })))
    }
    return JSONText.object(members)
  }
}
