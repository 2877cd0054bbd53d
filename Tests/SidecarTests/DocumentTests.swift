import Foundation
import MultiStore
import RESP
import TestSupport
import Testing

@testable import Sidecar

/// Tables and examples in the documents, compared with the program.
@Suite("Documents")
struct DocumentTests {
  /// The text of a document, whose path is relative to the repository's top folder.
  private func document(_ path: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func `the tables of configuration keys are the program's own`() throws {
    let reference = SidecarConfiguration.reference
    let isThere = try document("deploy/configuration.md").contains("\n\n\(reference)\n## Several sidecars\n")
    #expect(isThere, "deploy/configuration.md must have this before Several sidecars:\n\(reference)")
  }

  @Test func `the tables of web configuration keys are the program's own`() throws {
    let reference = WebConfiguration.reference
    let isThere = try document("deploy/configuration.md").hasSuffix("\n\n\(reference)")
    #expect(isThere, "deploy/configuration.md must end with this:\n\(reference)")
  }

  @Test func `the table of metrics is the program's own`() throws {
    let table = MetricsReference.text(.markdown)
    let isThere = try document("deploy/observability.md").contains("\n\n\(table)\n")
    #expect(isThere, "Tests/metrics-table.sh writes this into deploy/observability.md:\n\(table)")
  }

  /// The table of the four states, which more than one document has.
  @Test(arguments: ["README.md", "deploy/semantics.md"])
  func `the states are those of the routing`(path: String) throws {
    let states = [(false, false), (true, false), (true, true), (false, true)].map {
      FlagState(dualWrite: $0, primaryAsDefault: $1)
    }
    let rows = states.map { state in
      let routing = Routing(flags: state, canUsePrimary: true, readPolicy: .fallback)
      let flags = [state.dualWrite, state.primaryAsDefault].map { $0 ? "on" : "off" }
      let store = routing.defaultStore.label
      let both = routing.isDual ? ["see `read_policy`", "both"] : [store, store]
      return "| \((flags + both + [store, store]).joined(separator: " | ")) |\n"
    }
    let isThere = try document(path).contains("|---|---|---|---|---|---|\n\(rows.joined())\n")
    #expect(isThere, "\(path) must have this:\n\(rows.joined())")
  }

  @Test func `the README's minimal configuration is valid`() throws {
    let yaml = try firstExample(after: "\n## Minimal configuration\n", in: document("README.md"))
    let configuration = try configuration(yaml, environment: [:])
    #expect(configuration.instances.map(\.name) == ["sessions"])
  }

  @Test func `the example of a configuration is valid`() throws {
    let yaml = try firstExample(after: "\n## The file\n", in: document("deploy/configuration.md"))
    let configuration = try configuration(yaml, environment: ["SESSIONS_PASSWORD": "secret"])
    #expect(configuration.instances.map(\.name) == ["sessions"])
  }

  @Test func `the example of a web configuration is valid`() throws {
    let folder = try TemporaryDirectory()
    let authority = try CertificateAuthority("test", in: folder)
    let server = try authority.issue("server", for: .server)
    try setMode(0o600, of: server.key)
    for (source, name) in [
      (server.certificate, "server.crt"), (server.key, "server.key"), (authority.certificate, "clients-ca.crt"),
    ] where source != folder.path(name) {
      try FileManager.default.copyItem(atPath: source, toPath: folder.path(name))
    }
    let yaml = try firstExample(after: "\n## Web configuration\n", in: document("deploy/configuration.md"))
    let result = WebConfiguration.load(file: try folder.write(yaml, to: "web.yml"))
    #expect(result.problems == [])
    #expect(result.configuration?.users.keys.sorted() == ["prometheus"])
  }

  /// The first lines after a heading that are indented as code, without their indentation.
  private func firstExample(after heading: String, in document: String) throws -> String {
    let parts = document.components(separatedBy: heading)
    try #require(parts.count == 2, "one heading \(heading)")
    let lines = parts[1].split(separator: "\n", omittingEmptySubsequences: false)
      .drop { !$0.hasPrefix("    ") }
      .prefix { $0.hasPrefix("    ") }
    return lines.map { $0.dropFirst(4) }.joined(separator: "\n")
  }

  @Test func `refused commands are named, and no others`() throws {
    let refused = CommandTable.all.filter { $0.isRefused }.map(\.shownName)
    #expect(try commands(inRowOf: "refused: ", after: "refused: ") == refused.sorted())
  }

  @Test func `commands that the sidecar answers are named, and no others`() throws {
    let answered = CommandTable.all.filter { spec in
      spec.commandClass == .connection && !spec.isRefused && !spec.traits.contains(.hasSubcommands)
    }
    #expect(try commands(inRowOf: "PING, ") == answered.map(\.shownName).sorted())
  }

  /// The commands in the first cell of the row of `deploy/semantics.md` that begins so, without its prefix, sorted.
  private func commands(inRowOf beginning: String, after prefix: String = "") throws -> [String] {
    let lines = try document("deploy/semantics.md").split(separator: "\n")
    let row = try #require(lines.first { $0.hasPrefix("| \(beginning)") })
    return row.dropFirst(2 + prefix.count).prefix { $0 != "|" }.split(separator: ",")
      .map { $0.trimmingCharacters(in: .whitespaces) }.sorted()
  }
}

extension CommandSpec {
  /// As a person writes it: `CLIENT ID`.
  fileprivate var shownName: String { name.description.uppercased().replacing("|", with: " ") }
}
