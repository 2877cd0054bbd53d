import Foundation
import TestSupport
import Testing

/// What ArgumentParser says about the command line (ArgumentParserToolInfo).
private struct CommandInfo: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable { let name: String }

    let kind: String
    let preferredName: Name?
    let abstract: String?
  }

  let commandName: String
  let arguments: [Argument]?
  let subcommands: [CommandInfo]?

  /// The command's own options and those of all its subcommands.
  var options: [(command: String, option: Argument)] {
    (arguments ?? []).filter { $0.kind != "positional" }.map { (commandName, $0) }
      + (subcommands ?? []).flatMap(\.options)
  }

  /// What the program says of itself.
  static func dumped() throws -> CommandInfo {
    struct Tool: Decodable { let command: CommandInfo }
    let dump = try SidecarProcess.run(["--experimental-dump-help"]).output
    return try JSONDecoder().decode(Tool.self, from: Data(dump.utf8)).command
  }
}

@Suite("Command line")
struct CommandLineTests {
  @Test func `every option can come from the environment, and its help says under which name`() throws {
    let options = try CommandInfo.dumped().options
      .filter { !["help", "version"].contains($0.option.preferredName?.name) }
    #expect(options.count > 15)
    for (command, option) in options {
      let name = try #require(option.preferredName?.name)
      let variable = "MULTISTORE_" + name.uppercased().replacing(/[.-]/, with: "_")
      #expect(option.abstract?.hasSuffix(" [\(variable)]") == true, "\(command) --\(name): \(option.abstract ?? "")")
    }
  }

  @Test func `the document has each command, and each option with its commands, and no other`() throws {
    let document = try Runbook("deploy/operations.md")
    let commands = try (CommandInfo.dumped().subcommands ?? []).filter { $0.commandName != "help" }
    let named = document.rows(ofTable: "command").flatMap { $0[0].matches(of: /multistore-exporter \[?([a-z-]+)/) }
    #expect(Set(named.map { String($0.1) }) == Set(commands.map(\.commandName)).union(["--version"]))
    let options = commands.flatMap { command in
      command.options.compactMap { $0.option.preferredName.map { "\(command.commandName) --\($0.name)" } }
    }
    let rows = document.rows(ofTable: "option").flatMap { row in
      row[1].split(separator: ", ").map { "\($0) \(Runbook.codeSpans(in: row[0])[0])" }
    }
    #expect(rows.count == Set(rows).count && rows.count > 15)
    #expect(Set(rows) == Set(options.filter { !$0.hasSuffix(" --help") && !$0.hasSuffix(" --version") }))
    for row in document.rows(ofTable: "option") {
      let spans = Runbook.codeSpans(in: row[0])
      #expect(spans[1] == "MULTISTORE_" + spans[0].dropFirst(2).uppercased().replacing(/[.-]/, with: "_"))
    }
  }

  @Test(arguments: [
    (["inventory"], ["MULTISTORE_FORMAT": "xml"], "--format: \"xml\" is none of table, json"),
    (["describe-metrics"], ["MULTISTORE_FORMAT": "xml"], "--format: \"xml\" is none of table, json, markdown"),
    (
      ["--config.file=x"], ["MULTISTORE_WEB_SYSTEMD_SOCKET": "perhaps"],
      "MULTISTORE_WEB_SYSTEMD_SOCKET: \"perhaps\" is neither true nor false"
    ),
  ])
  func `a value of the environment that is none is told`(
    arguments: [String],
    environment: [String: String],
    words: String
  ) throws {
    let outcome = try SidecarProcess.run(arguments, environment: environment)
    #expect(outcome.errors.contains(words), "\(outcome.errors)")
    #expect(outcome.exit == .status(64))
  }

  @Test func `describe-metrics has everything that is at the metrics page, and says it in three forms`() throws {
    struct Metric: Decodable {
      let name: String
      let kind: String
      let labels: [String]
      let meaning: String
    }
    let json = try SidecarProcess.run(["describe-metrics", "--format=json"]).output
    let described = try JSONDecoder().decode([Metric].self, from: Data(json.utf8))
    let byName = Dictionary(uniqueKeysWithValues: described.map { ($0.name, $0) })
    let page = try Deployment().sidecar.get("/metrics").text
    let shown = page.matches(of: /# TYPE (\S+) (\S+)/).map { (String($0.1), String($0.2)) }
    #expect(shown.count > 40)
    for (name, kind) in shown {
      #expect(byName[name]?.kind == kind, "\(name)")
      #expect(byName[name].map { page.contains("# HELP \(name) \($0.meaning)\n") } == true, "\(name)")
    }
    let table = try SidecarProcess.run(["describe-metrics"]).output.split(separator: "\n")
    #expect(table.count == described.count + 1)
    #expect(table.first?.hasPrefix("NAME ") == true)
    let markdown = try SidecarProcess.run(["describe-metrics", "--format", "markdown"]).output
    #expect(markdown.split(separator: "\n").count == described.count + 2)
  }
}
