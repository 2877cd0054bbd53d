import Foundation
import TestSupport

/// A real client with its script in `Tests/Clients`.
struct Client: Sendable {
  /// Its folder in `Tests/Clients`.
  let name: String
  /// What its script is to do, in this order.
  let checks: [String]
  /// Environment of both commands.
  var environment: [String: String] = [:]
  /// A command that succeeds if, and only if, the client is on this machine.
  let probe: [String]
  /// Finds out, or builds, what the checks are run with: the words before host and port.
  let command: @Sendable () throws -> [String]

  /// A client whose script is run by an interpreter.
  ///
  /// - Parameters:
  ///   - script: The script's path below `Tests/Clients`.
  ///   - probe: Arguments that make the interpreter look for the client.
  init(
    _ name: String,
    checks: [String] = ClientCheck.allCases.map(\.rawValue),
    environment: [String: String] = [:],
    interpreter: String,
    script: String,
    probe: [String]
  ) {
    self.name = name
    self.checks = checks
    self.environment = environment
    self.probe = [interpreter] + probe
    command = { [interpreter, Self.folder.appendingPathComponent(script).path] }
  }

  /// A client whose checks are a program that has to be built.
  init(_ name: String, probe: [String], building program: BuiltProgram) {
    self.name = name
    checks = ClientCheck.allCases.map(\.rawValue)
    self.probe = probe
    command = { [try program.path.get()] }
  }

  /// `Tests/Clients`.
  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Clients")

  /// Whether a client that is not there fails its tests instead of skipping them, as `Tests/run.sh --clients` wants.
  static let areRequired = ProcessInfo.processInfo.environment["MULTISTORE_CLIENTS"] == "required"

  /// Whether its tests are to be run: it is there, or has to be.
  var isTested: Bool {
    if Self.areRequired { return true }
    let outcome = try? ChildProcess.run(probe[0], Array(probe.dropFirst()), environment: environment)
    return outcome?.exit == .status(0)
  }

  /// Why its tests are skipped, if they are.
  var missingReason: String { "\(name) is not on this machine; Tests/setup.sh --clients installs it" }
}

/// A program that is built once, when the first test needs it.
final class BuiltProgram: Sendable {
  /// Where it is, or why it could not be built.
  let path: Result<String, any Error>
  // The program is gone with its folder.
  private let directory: TemporaryDirectory?

  /// Builds it into a folder of its own.
  ///
  /// - Parameter build: The command that writes the program to the path that it is given.
  init(environment: [String: String], build: (String) -> [String]) {
    let directory = try? TemporaryDirectory()
    self.directory = directory
    path = Result {
      guard let program = directory?.path("check") else { throw TestSupportError(.system, "no folder to build in") }
      let words = build(program)
      let outcome = try ChildProcess.run(
        words[0],
        Array(words.dropFirst()),
        environment: environment,
        within: .seconds(180)
      )
      guard outcome.exit == .status(0) else {
        throw TestSupportError(.process, "\(words) ended with \(outcome.exit):\n\(outcome.errors)")
      }
      return program
    }
  }
}
