internal import ArgumentParser
internal import Sidecar

/// `describe-metrics`: shows the table of all metrics.
struct DescribeMetrics: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe-metrics",
    abstract: "Shows all metrics: name, kind, labels and meaning."
  )

  @Option(help: "table, json or markdown, which is the table of deploy/observability.md. [MULTISTORE_FORMAT]")
  var format: String?

  func run() throws {
    let format = try Environment.choice(format, "format") ?? MetricsReference.Format.table
    print(MetricsReference.text(format), terminator: "")
  }
}
