import Foundation
import RESP
import TestSupport
import Testing

@testable import Sidecar

@Suite("README")
struct ReadmeTests {
  private let readme: String

  init() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
  }

  @Test func `the tables of configuration keys are the program's own`() {
    let reference = SidecarConfiguration.reference
    let isThere = readme.contains(reference)
    #expect(isThere, "README.md is to have this under Configuration:\n\(reference)")
  }

  @Test func `the tables of web configuration keys are the program's own`() {
    let reference = WebConfiguration.reference
    let isThere = readme.contains(reference)
    #expect(isThere, "README.md is to have this under Web configuration:\n\(reference)")
  }

  @Test func `the table of metrics is the program's own`() {
    let table = MetricsReference.text(.markdown)
    let isThere = readme.contains(table)
    #expect(isThere, "Tests/readme.sh writes what README.md is to have under Metrics:\n\(table)")
  }

  /// The example at the beginning of the section is read as a file would be.
  @Test func `the example is a good configuration`() throws {
    let yaml = try firstExample(after: "\n## Configuration\n\n")
    let configuration = try configuration(yaml, environment: ["SESSIONS_PASSWORD": "secret"])
    #expect(configuration.instances.map(\.name) == ["sessions"])
  }

  @Test func `the example of a web configuration is a good one`() throws {
    let folder = try TemporaryDirectory()
    let authority = try CertificateAuthority("test", in: folder)
    let server = try authority.issue("server", for: .server)
    try setMode(0o600, of: server.key)
    for (source, name) in [
      (server.certificate, "server.crt"), (server.key, "server.key"), (authority.certificate, "clients-ca.crt"),
    ] where source != folder.path(name) {
      try FileManager.default.copyItem(atPath: source, toPath: folder.path(name))
    }
    let yaml = try firstExample(after: "\n## Web configuration\n")
    let result = WebConfiguration.load(file: try folder.write(yaml, to: "web.yml"))
    #expect(result.problems == [])
    #expect(result.configuration?.users.keys.sorted() == ["prometheus"])
  }

  /// The first lines after a heading that are indented as code, without their indentation.
  private func firstExample(after heading: String) throws -> String {
    let section = try #require(readme.components(separatedBy: heading).last)
    let lines = section.split(separator: "\n", omittingEmptySubsequences: false)
      .drop { !$0.hasPrefix("    ") }
      .prefix { $0.hasPrefix("    ") }
    return lines.map { $0.dropFirst(4) }.joined(separator: "\n")
  }

  @Test func `refused commands are named, and no others`() throws {
    let row = try #require(readme.split(separator: "\n").first { $0.hasPrefix("| refused: ") })
    let cell = row.dropFirst("| refused: ".count).prefix { $0 != "|" }
    let named = cell.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let refused = CommandTable.all.filter { $0.isRefused }.map(\.shownName)
    #expect(named.sorted() == refused.sorted())
  }

  @Test func `commands that the sidecar answers are named, and no others`() throws {
    let row = try #require(readme.split(separator: "\n").first { $0.hasPrefix("| PING, ") })
    let cell = row.dropFirst(2).prefix { $0 != "|" }
    let named = cell.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    let answered = CommandTable.all.filter { spec in
      spec.commandClass == .connection && !spec.isRefused && !spec.traits.contains(.hasSubcommands)
    }
    #expect(named.sorted() == answered.map(\.shownName).sorted())
  }
}

extension CommandSpec {
  /// As a person writes it: `CLIENT ID`.
  fileprivate var shownName: String { name.description.uppercased().replacing("|", with: " ") }

  fileprivate var isRefused: Bool { traits.contains(.refused) }
}
