import Foundation
import TestSupport
import Testing
import Yams

/// Fluent Bit, Promtail, Alloy and Loki can be had neither from Debian nor from PyPI. What they are told is held
/// against the sidecar's real lines.
@Suite("Shippers that can't be run here")
struct ShipperTests {
  private static let log = "/var/log/multistore-exporter/events.jsonl"

  /// All fields of the lines and of the events that a real sidecar has written.
  private struct Fields {
    let ofLines: Set<String>
    let ofEvents: Set<String>
    let classes: Set<String>
    let severitiesOfEvents: Set<String>

    init() throws {
      let sidecar = try EventfulSidecar(in: TemporaryDirectory())
      try sidecar.makeEvents()
      let lines = try sidecar.lines()
      let events = lines.filter { $0["exception.class"] != nil }
      ofLines = try lines.map(Self.names).reduce(Self.names(lines[0])) { $0.intersection($1) }
      ofEvents = try events.map(Self.names).reduce(Self.names(events[0])) { $0.intersection($1) }
      classes = Set(events.compactMap { $0["exception.class"]?.string })
      severitiesOfEvents = Set(events.compactMap { $0["severity"]?.string })
    }

    private static func names(_ line: JSONValue) throws -> Set<String> {
      guard case .object(let fields) = line else { throw TestSupportError(.malformed, "\(line)") }
      return Set(fields.keys)
    }
  }

  /// Found out once for all tests: it takes seconds.
  private static let fields = Result { try Fields() }

  @Test func `Fluent Bit reads fields that each line has, with buffers for the longest one`() throws {
    let fields = try Self.fields.get().ofLines
    let file = try #require(try DeployFile.yaml("deploy/logging/fluent-bit/fluent-bit.yaml").first)
    let parser = try #require(file["parsers"]?.elements.first)
    let input = try #require(file[path: "pipeline", "inputs"]?.elements.first)
    let output = try #require(file[path: "pipeline", "outputs"]?.elements.first)
    #expect(parser["format"]?.string == "json")
    #expect(fields.contains(parser["time_key"]?.string ?? ""))
    #expect(input["path"]?.string == Self.log)
    #expect(input["parser"]?.string == parser["name"]?.string)
    #expect(input["tag"]?.string == output["match"]?.string)
    let labels = (output["labels"]?.string ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(labels == ["job=multistore-exporter", "severity=$severity"])
    #expect(fields.contains("severity"))
    // 64 KiB and a line's end.
    #expect(input["buffer_chunk_size"]?.string == "128k" && input["buffer_max_size"]?.string == "256k")
  }

  @Test func `Promtail makes labels of fields that each line has`() throws {
    let fields = try Self.fields.get().ofLines
    let file = try #require(try DeployFile.yaml("deploy/logging/promtail/promtail.yml").first)
    let scrape = try #require(file["scrape_configs"]?.elements.first)
    let labels = try #require(scrape["static_configs"]?.elements.first?["labels"])
    #expect(labels["job"]?.string == "multistore-exporter")
    #expect(labels["__path__"]?.string == Self.log)
    let stages = scrape["pipeline_stages"]?.elements ?? []
    let parsing = stages.compactMap { $0[path: "json", "expressions"]?.mapping }
    let expressions = try #require(parsing.first)
    for (_, field) in expressions { #expect(fields.contains(field.string ?? ""), "\(field)") }
    let extracted = Set(expressions.keys.compactMap(\.string))
    let used =
      stages.compactMap { $0[path: "timestamp", "source"]?.string }
      + stages.flatMap { $0["labels"]?.mapping?.keys.compactMap(\.string) ?? [] }
    #expect(used == ["time", "severity"])
    #expect(extracted.isSuperset(of: used))
  }

  @Test func `Alloy's components get from each other what they need, and labels of fields that each line has`() throws {
    let fields = try Self.fields.get().ofLines
    let text = try DeployFile.text("deploy/logging/alloy/config.alloy")
    let code = text.split(separator: "\n").filter { !$0.trimmingCharacters(in: .whitespaces).hasPrefix("//") }
      .joined(separator: "\n")
    #expect(code.count { $0 == "{" } == code.count { $0 == "}" } && code.count { $0 == "\"" }.isMultiple(of: 2))
    let components = Set(code.matches(of: /(?m)^([a-z_.]+) "([a-z]+)" \{$/).map { "\($0.1).\($0.2)" })
    #expect(
      components == [
        "local.file_match.multistore", "loki.source.file.multistore", "loki.process.multistore", "loki.write.local",
      ]
    )
    let references = code.matches(of: /= \[?([a-z_.]+\.[a-z]+)\.(receiver|targets)\]?/).map { String($0.1) }
    #expect(references.count == 3 && components.isSuperset(of: references))
    #expect(code.contains("\"__path__\" = \"\(Self.log)\"") && code.contains("\"job\"      = \"multistore-exporter\""))
    let expressions = try #require(code.firstMatch(of: /(?s)expressions = \{(.*?)\n *\}/)).1
    let read = expressions.matches(of: /= "([^"]+)"/).map { String($0.1) }
    #expect(read == ["severity", "time"] && fields.isSuperset(of: read))
  }

  @Test func `the rules for Loki read fields that each event has, and find all classes`() throws {
    let real = try Self.fields.get()
    // As Loki's `json` parser names labels: what can't be part of one becomes an underscore.
    let labels = Set(real.ofEvents.map { $0.replacing(/[^A-Za-z0-9_]/, with: "_") })
    let rules = try rules(in: "deploy/logging/loki/multistore.rules.yml")
    #expect(real.severitiesOfEvents == ["ERROR"])
    var unseen = real.classes
    for rule in rules {
      let text = try #require(rule["expr"]?.string)
      let selectors = text.matches(of: /\{job=[^}]*\}/).map { String($0.0) }
      #expect(!selectors.isEmpty)
      #expect(selectors.allSatisfy { $0 == "{job=\"multistore-exporter\", severity=\"ERROR\"}" })
      #expect(text.count { $0 == "(" } == text.count { $0 == ")" })
      let used = text.matches(of: /\b(exception|extra)_[a-z_]+/).map { String($0.0) }
      #expect(Set(used) == ["exception_class", "extra_instance_name", "extra_suppressed_events"])
      #expect(labels.isSuperset(of: used))
      for condition in text.matches(of: /exception_class(=~?)`([^`]+)`/) {
        let found = try real.classes.filter { try condition.1 == "=" ? $0 == condition.2 : matches($0, condition.2) }
        #expect(!found.isEmpty, "no real event has the class \(condition.2)")
        unseen.subtract(found)
      }
    }
    // Settled checks mend differences, and for those of a verification there is an alert made of the metrics.
    unseen.remove("MultiStore::KeyDifferenceError")
    #expect(unseen.isEmpty, "no rule looks for \(unseen)")
  }

  @Test func `Loki and Prometheus have the same alerts`() throws {
    let ofLoki = try rules(in: "deploy/logging/loki/multistore.rules.yml")
    let ofPrometheus = try rules(in: "deploy/logging/alerts.rules.yml")
    for (loki, prometheus) in zip(ofLoki, ofPrometheus) {
      #expect(loki["alert"]?.string == prometheus["alert"]?.string)
      #expect(loki["for"]?.string == prometheus["for"]?.string)
      #expect(loki[path: "labels", "severity"]?.string == prometheus[path: "labels", "severity"]?.string)
      #expect(
        loki[path: "annotations", "runbook_url"]?.string == prometheus[path: "annotations", "runbook_url"]?.string
      )
    }
    #expect(ofLoki.count == ofPrometheus.count && ofLoki.count == 5)
  }

  private func rules(in file: String) throws -> [Node] {
    try DeployFile.yaml(file).first?["groups"]?.elements.flatMap { $0["rules"]?.elements ?? [] } ?? []
  }

  private func matches(_ name: String, _ pattern: Substring) throws -> Bool {
    try name.wholeMatch(of: Regex(String(pattern))) != nil
  }
}
