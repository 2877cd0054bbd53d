internal import ArgumentParser
internal import Sidecar

/// `check-config`: every mistake in a configuration, and what would be right.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Checks a configuration and says everything that is wrong with it.",
    discussion: "Exit codes: 0 the sidecar would start with it, 1 it has mistakes."
  )

  @Option(name: .customLong("config.file"), help: "Configuration file. [MULTISTORE_CONFIG_FILE]")
  var configFile: String?

  func run() throws {
    let (text, exitCode) = ConfigurationCheck.report(file: try Environment.required(configFile, "config.file"))
    print(text, terminator: "")
    if exitCode != 0 { throw ExitCode(exitCode) }
  }
}
