import Foundation
import TestSupport
import Testing

@Suite("Alert and recording rules")
struct RuleTests {
  static let ruleFiles = ["recording.rules.yml", "alerts.rules.yml"]
  static let alerts: Set = [
    "MultiStoreSidecarDown", "MultiStoreStoreDown", "MultiStoreMethodMissing", "MultiStoreDiffsNotDecaying",
    "MultiStoreFallbackNotConverging", "MultiStoreOtherStoreWritesFailing", "MultiStoreFlagsDisagree",
    "MultiStoreLogEventsDropped", "MultiStoreConnectionsNearLimit", "MultiStoreMemoryShort",
    "MultiStoreStaleKeysNotFalling", "MultiStoreNotTrusted", "MultiStoreDifferencesFound", "MultiStoreUnverified",
    "MultiStoreStateNotKept", "MultiStoreFlagReloadFailing", "MultiStoreSameStore", "MultiStoreStoreRestarted",
    "MultiStoreCertificateExpires", "MultiStoreSentinelsUnreachable",
  ]

  @Test func `promtool and amtool take the files for good`() throws {
    let folder = Repository.prometheus.path
    try run("promtool", ["check", "rules", "--lint-fatal"] + Self.ruleFiles.map { "\(folder)/\($0)" })
    try run("promtool", ["check", "config", "\(folder)/prometheus.yml"])
    try run("amtool", ["check-config", "\(folder)/alertmanager.yml"])
  }

  @Test func `the rules' own tests pass`() throws {
    let files = try Repository.files(in: Repository.prometheus.appendingPathComponent("tests"), ending: ".test.yml")
    #expect(!files.isEmpty)
    try run("promtool", ["test", "rules"] + files)
  }

  /// Each alert is named in a case in which it fires and in one in which it must not.
  @Test func `each alert has a test for firing and one for being quiet`() throws {
    let files = try Repository.files(in: Repository.prometheus.appendingPathComponent("tests"), ending: ".test.yml")
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
    for alert in Self.alerts {
      let fires = texts.contains("alertname: \(alert)\n        exp_alerts:\n")
      let isQuiet = texts.contains("alertname: \(alert), exp_alerts: [] }")
      #expect(fires && isQuiet, "\(alert) lacks one of both")
    }
  }

  @Test func `the table of alerts has each alert with its severities, and no other`() throws {
    let path = Repository.root.appendingPathComponent("deploy/alerts.md")
    let document = try String(contentsOf: path, encoding: .utf8)
    let told = document.matches(of: /(?m)^\| `(MultiStore\w+)` \| (\w+) \|/).map { "\($0.1) \($0.2)" }
    let rules = try Repository.prometheusFile("alerts.rules.yml")
    let there = rules.matches(of: /alert: (\w+)[\s\S]*?severity: (\w+)/).map { "\($0.1) \($0.2)" }
    #expect(told.sorted() == there.sorted())
  }

  /// Loaded into a real Prometheus that scrapes a real sidecar: every rule is evaluated without an error, says what an
  /// alert has to say, and names no metric that neither the sidecar nor another rule has.
  @Test func `the rules are about what the sidecar has`() throws {
    let migration = try MonitoredMigration()
    let configuration =
      try PrometheusServer.configuration(scraping: migration.sidecar)
      + "\nrule_files: [recording.rules.yml, alerts.rules.yml]\n"
    let files = try Dictionary(
      uniqueKeysWithValues: Self.ruleFiles.map { ($0, try Repository.prometheusFile($0)) }
    )
    let prometheus = try PrometheusServer(configuration: configuration.withFastEvaluation, files: files)
    try eventually("all rules have been evaluated") {
      try prometheus.rules().allSatisfy { $0["health"]?.string != "unknown" }
    }
    let rules = try prometheus.rules()
    for rule in rules {
      #expect(rule["health"]?.string == "ok", "\(rule["name"]?.string ?? ""): \(rule["lastError"]?.string ?? "")")
    }
    let named = Self.metricNames(in: rules).subtracting(rules.compactMap { $0["name"]?.string })
    #expect(named.count > 10)
    for name in named.sorted() {
      try eventually("\(name), which a rule names, is there") {
        try prometheus.values(of: "__name__", matching: name) == [name]
      }
    }
    let alerts = rules.filter { $0["type"]?.string == "alerting" }
    #expect(Set(alerts.compactMap { $0["name"]?.string }) == Self.alerts)
    for alert in alerts { try checkWords(of: alert) }
  }

  /// Names of metrics in the rules' expressions: what is neither a label in a matcher nor a function or a number.
  private static func metricNames(in rules: [JSONValue]) -> Set<String> {
    let expressions = rules.compactMap { $0["query"]?.string }.joined(separator: " ")
    let names = expressions.matches(of: /\b(?:gitlab_redis_multi_store|multistore|process)_\w+/)
    return Set(names.map { String($0.0) })
  }

  private func checkWords(of alert: JSONValue) throws {
    let name = try #require(alert["name"]?.string)
    let severity = alert["labels"]?["severity"]?.string ?? "none"
    #expect(["critical", "warning", "info"].contains(severity), "\(name): \(severity)")
    for annotation in ["summary", "description"] {
      #expect(alert["annotations"]?[annotation]?.string?.isEmpty == false, "\(name) has no \(annotation)")
    }
    let link = alert["annotations"]?["runbook_url"]?.string ?? ""
    #expect(link.hasSuffix("/deploy/alerts.md#\(name.lowercased())"), "\(name): \(link)")
  }

  private func run(_ program: String, _ arguments: [String]) throws {
    // The rules' own tests take five seconds of processor time.
    let outcome = try ChildProcess.run(program, arguments, within: .seconds(180))
    #expect(outcome.exit == .status(0), "\(program): \(outcome.output)\(outcome.errors)")
  }
}

extension String {
  /// A configuration of Prometheus whose rules are evaluated every second.
  fileprivate var withFastEvaluation: String {
    replacing("scrape_interval: 1s,", with: "scrape_interval: 1s, evaluation_interval: 1s,")
  }
}
