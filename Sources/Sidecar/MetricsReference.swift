internal import PrometheusExposition
internal import Status

/// Everything that can be found at /metrics, from the descriptions that the registry itself uses.
public enum MetricsReference {
  /// How the table is written.
  public enum Format: String, Sendable, CaseIterable {
    /// Columns for a terminal.
    case table
    /// A list of objects for programs.
    case json
    /// The table in `deploy/observability.md`.
    case markdown
  }

  private static let header = ["name", "kind", "labels", "meaning"]

  /// All metrics in the order of the tables in the source; ends in a newline.
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
