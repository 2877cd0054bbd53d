import Foundation
import TestSupport
import Testing

/// Every name in the runbook and in the document of alerts exists in the program or its files.
@Suite("Runbook's names")
struct RunbookTextTests {
  private let runbook: Runbook
  private let alerts: Runbook
  private var both: [Runbook] { [runbook, alerts] }

  init() throws {
    runbook = try Runbook()
    alerts = try Runbook("deploy/alerts.md")
  }

  @Test func `every alert has its section, with what it means and what is safe`() throws {
    let rules = try Repository.text("deploy/prometheus/alerts.rules.yml")
    let names = Set(rules.matches(of: /- alert: (\w+)/).map { String($0.1) })
    #expect(names.count >= 12)
    let sections = Set(alerts.headings.filter { $0.hasPrefix("MultiStore") })
    #expect(sections == names)
    for alert in names {
      let section = alerts.section(alert)
      for word in ["Means", "Look", "Safe", "Not safe"] {
        #expect(section.contains("**\(word)**"), "\(alert): \(word)")
      }
    }
  }

  @Test(arguments: [
    ("MultiStoreDiffsNotDecaying", "> 0.01", "more than 1 %"),
    ("MultiStoreFallbackNotConverging", "> 0.001", "more than 0.1 %"),
    ("MultiStoreConnectionsNearLimit", "> 0.8", "over 80 %"),
  ])
  func `a section says what its alert fires at`(alert: String, expression: String, words: String) throws {
    let rules = try Repository.text("deploy/prometheus/alerts.rules.yml")
    let rule = try #require(rules.components(separatedBy: "- alert: ").first { $0.hasPrefix("\(alert)\n") })
    #expect(rule.contains("\(expression)\n") || rule.contains("\(expression) "))
    #expect(alerts.section(alert).contains(words))
  }

  @Test func `links of the alerts lead to a section`() throws {
    var rules = ""
    for path in ["deploy/prometheus/alerts.rules.yml", "deploy/logging/alerts.rules.yml"] {
      rules += try Repository.text(path)
    }
    let urls = rules.matches(of: /deploy\/alerts\.md#(\S+)/).map { String($0.1) }
    #expect(urls.count == rules.matches(of: /runbook_url:/).count && urls.count >= 12)
    #expect(Set(urls).subtracting(alerts.headings.map { $0.lowercased() }).isEmpty)
  }

  @Test func `alerts that are named exist`() throws {
    var rules = ""
    for path in ["deploy/prometheus/alerts.rules.yml", "deploy/logging/alerts.rules.yml"] {
      rules += try Repository.text(path)
    }
    let known = Set(rules.matches(of: /- alert: (\w+)/).map { String($0.1) })
    let spans = both.flatMap { Runbook.codeSpans(in: $0.prose) }
    let named = Set(spans.filter { $0.hasPrefix("MultiStore") && !$0.contains(" ") })
    #expect(named.subtracting(known).isEmpty)
  }

  /// Italics are for panels.
  @Test func `panels that are named exist, and every step names some`() throws {
    let dashboard = try Repository.text("dashboards/multistore-overview.json")
    let titles = Set(dashboard.matches(of: /"title": "([^"]+)"/).map { String($0.1) })
    let prose = both.map(\.prose).joined().replacing(/\*\*[^*]+\*\*/, with: "").replacing("\n", with: " ")
    let named = Set(prose.matches(of: /\*(\w[^*]*)\*/).map { String($0.1) })
    #expect(named.count > 15)
    #expect(named.subtracting(titles.union(["this", "not yet"])).isEmpty)
    for step in runbook.headings.filter({ $0.first?.isNumber == true }) {
      #expect(runbook.section(step).contains("**Look at** *"), "\(step)")
      let whole = runbook.text.components(separatedBy: "## \(step)\n")[1].components(separatedBy: "\n## ")[0]
      for word in ["Does", "Run", "Go on when", "Way back", "If it goes wrong"] {
        let isThere = whole.contains("**\(word)**")
        #expect(isThere, "\(step): \(word)")
      }
    }
  }

  @Test func `metrics that are named exist`() throws {
    let described = try SidecarProcess.run(["describe-metrics", "--format", "json"])
    let known = Set(described.output.matches(of: /"name":\s*"(\w+)"/).map { String($0.1) })
    #expect(known.count > 50)
    let names = both.map(\.text).joined().matches(of: /\b(?:gitlab_redis_multi_store|multistore|process)_[a-z_]+/).map {
      String($0.0)
    }
    let series = Set(names.filter { !$0.hasSuffix("_") && !$0.hasPrefix("process_(") })
    #expect(series.count > 15)
    #expect(series.subtracting(known).isEmpty)
  }

  /// A code span with an underscore is a setting, a metric, or a word that the sidecar uses for a value.
  @Test func `settings and values that are named exist`() throws {
    let reference = try ["configuration", "observability", "semantics"].map { try Repository.text("deploy/\($0).md") }
      .joined()
    let table = Set(runbook.rows(ofTable: "criterion").map { $0[0].trimmingCharacters(in: ["`"]) })
    let flags = ["use_primary_and_secondary_stores_for_", "use_primary_store_as_default_for_"]
    let ofServers: Set = ["avg_ttl", "redis_version", "valkey_version"]
    for span in both.flatMap({ Runbook.codeSpans(in: $0.prose) }) {
      guard let word = span.wholeMatch(of: /([a-z0-9]+(?:_[a-z0-9]+)+)(: \w+|="\w+")?/) else { continue }
      let name = String(word.1)
      let isKnown =
        reference.contains("`\(name)`") || table.contains(name) || ofServers.contains(name) || flags.contains(name)
      #expect(isKnown, "\(span)")
      guard let value = word.2?.drop(while: { !$0.isLetter }).prefix(while: { $0 != "\"" }) else { continue }
      #expect(reference.contains("`\(value)`") || reference.contains("\(name): \(value)"), "\(span)")
    }
    for row in alerts.rows(ofTable: "`reason`") + runbook.rows(ofTable: "hazard") {
      for name in Runbook.codeSpans(in: row[0]) { #expect(reference.contains("`\(name)`"), "\(name)") }
    }
  }

  @Test func `commands of the sidecar that are named exist`() throws {
    let typed = both.map(\.text).joined().replacing("\\\n", with: "")
    let commands = typed.matches(
      of:
        #/
        multistore-exporter\x20
        (feature\ (?:get|set)|stale\ list|(?:backfill|verify)\ [a-z]+|trust|status|inventory|check-config)\b(.*)
        /#
    )
    let words = typed.matches(of: /multistore-exporter ([a-z]\S*)/)
    #expect(commands.count > 20 && commands.count == words.count, "\(words.map(\.1))")
    for command in commands {
      let outcome = try SidecarProcess.run(command.1.split(separator: " ").map(String.init) + ["--help"])
      #expect(outcome.exit == .status(0))
      for option in command.2.matches(of: /--[a-z.-]+/) {
        let isThere = outcome.output.contains(option.0)
        #expect(isThere, "\(command.0)")
      }
    }
  }

  @Test func `commands that cannot be rehearsed are at least well formed`() throws {
    let blocks = both.flatMap(\.blocks)
    for block in blocks where block.language == "bash" {
      let outcome = try ChildProcess.run("bash", ["-n", "-c", block.text])
      #expect(outcome.exit == .status(0), "\(outcome.errors)")
    }
    let rules = blocks.filter { $0.language == "promql" }.map { block in
      "      - record: instance_name:runbook:query\n        expr: |\n"
        + block.text.split(separator: "\n").map { "          \($0)\n" }.joined()
    }
    #expect(rules.count >= 3)
    let directory = try TemporaryDirectory()
    let text = "groups:\n  - name: runbook\n    rules:\n" + rules.joined()
    let file = try directory.write(text, to: "runbook.rules.yml")
    let outcome = try ChildProcess.run("promtool", ["check", "rules", "--lint=none", file])
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
  }
}
