import Foundation
import TestSupport

/// Runs what stands in the runbook, as a person would who works in one folder with the settings that it asks for.
final class RunbookShell {
  private let runbook: Runbook
  /// Where the work files go.
  private let folder: TemporaryDirectory
  private let settings: String
  /// Names of the blocks that were taken so far, each once.
  private(set) var taken: [String] = []

  /// - Parameter values: What each variable of the block `settings` is here.
  /// - Throws: ``TestSupportError`` when the block sets other variables.
  init(_ runbook: Runbook, _ values: [String: String]) throws {
    self.runbook = runbook
    folder = try TemporaryDirectory()
    let programs = folder.path("bin")
    try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: "\(programs)/multistore-exporter",
      withDestinationPath: SidecarProcess.executablePath
    )
    guard let block = runbook.block("settings") else {
      throw TestSupportError(.malformed, "the runbook has no block named settings")
    }
    var found: Set<String> = []
    let lines = block.text.split(separator: "\n").map { line in
      guard line.hasPrefix("export ") else { return String(line) }
      return "export "
        + line.split(separator: " ").dropFirst().map { assignment in
          let name = String(assignment.prefix { $0 != "=" })
          found.insert(name)
          return "\(name)=\(values[name] ?? "")"
        }.joined(separator: " ")
    }
    guard found == Set(values.keys) else {
      throw TestSupportError(.malformed, "the runbook sets \(found.sorted()), and the test \(values.keys.sorted())")
    }
    settings = lines.joined(separator: "\n")
    taken = ["settings"]
  }

  /// Types a block's commands.
  ///
  /// - Returns: What they said.
  /// - Throws: ``TestSupportError`` when one of them fails, or there is no such block.
  @discardableResult
  func run(_ name: String) throws -> String {
    let script = """
      set -euo pipefail
      cd \(folder.path)
      export PATH="$PWD/bin:$PATH"
      \(settings)
      \(try text(of: name))
      """
    let outcome = try ChildProcess.run("bash", ["-c", script], within: .seconds(120))
    guard outcome.exit == .status(0) else {
      throw TestSupportError(.process, "\(name) of the runbook: \(outcome.exit)\n\(outcome.output)\(outcome.errors)")
    }
    return outcome.output
  }

  /// The text of a block.
  ///
  /// - Throws: ``TestSupportError`` if there is no such block.
  func text(of name: String) throws -> String {
    guard let block = runbook.block(name) else {
      throw TestSupportError(.malformed, "the runbook has no block named \(name)")
    }
    if !taken.contains(name) { taken.append(name) }
    return block.text
  }
}
