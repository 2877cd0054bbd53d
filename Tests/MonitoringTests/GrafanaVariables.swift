import TestSupport

/// The values that a dashboard's variables have when it is opened, and what Grafana makes of an expression with them.
struct GrafanaVariables {
  /// The window that Grafana would take for this scrape interval is 4 s; on a busy machine a scrape may be late.
  private static let rateInterval = "10s"

  /// What each variable stands for in an expression.
  private(set) var values: [String: String] = ["__rate_interval": Self.rateInterval]

  /// Asks Prometheus for the values, in the order of the variables: a later one may use those before it.
  ///
  /// - Throws: ``TestSupportError`` for a query that is none, or finds nothing.
  init(of dashboard: Dashboard, in prometheus: PrometheusServer) throws {
    for variable in dashboard.variables where variable["type"]?.string == "query" {
      let name = variable["name"]?.string ?? ""
      let query = variable["query"]?.string ?? ""
      guard let parts = query.wholeMatch(of: /label_values\((.+),\s*(\w+)\)/) else {
        throw TestSupportError(.malformed, "not a query of a variable: \(query)")
      }
      let found = try prometheus.values(of: String(parts.2), matching: substituted(String(parts.1)))
      guard let first = found.first else { throw TestSupportError(.malformed, "\(query) finds nothing") }
      // Where several may be chosen Grafana opens the dashboard with all of them.
      let chosen = variable["includeAll"]?.bool == true ? found : [first]
      let escaped = chosen.map(Self.escaped)
      values[name] = escaped.count == 1 ? escaped[0] : "(\(escaped.joined(separator: "|")))"
    }
  }

  /// An expression as Prometheus gets it.
  func substituted(_ expression: String) -> String {
    expression.replacing(/\$(\w+)/) { match in values[String(match.1)] ?? String(match.0) }
  }

  /// A value within a regular expression within quotes.
  private static func escaped(_ value: String) -> String {
    value.replacing(/[\\^$*+?.()|\[\]{}]/) { "\\\\\($0.0)" }
  }
}
