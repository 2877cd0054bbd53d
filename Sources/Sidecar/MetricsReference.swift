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
    let all = [header.map { $0.uppercased() }] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let lines = all.map { row in
      let padded = zip(row, widths).dropLast().map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return (padded + row.suffix(1)).joined(separator: "  ")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func json(_ metric: MetricDescriptor) -> String {
    let labels = metric.labels.map(JSONText.quote).joined(separator: ",")
    var buckets = ""
    if case .histogram(let bounds) = metric.kind {
      buckets = ",\"buckets\":[\(bounds.map { "\($0)" }.joined(separator: ","))]"
    }
    return """
      {"name":\(JSONText.quote(metric.name)),"kind":\(JSONText.quote(metric.kind.typeName)),"labels":[\(labels)],\
      "meaning":\(JSONText.quote(metric.help))\(buckets)}
      """
  }
}
