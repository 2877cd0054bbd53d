internal import ArgumentParser
internal import Sidecar

/// `check-config`: reports every mistake in a configuration, and its remedy.
struct CheckConfig: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-config",
    abstract: "Checks a configuration and says everything that is wrong with it.",
    discussion: "Exit codes: 0 the sidecar would start with it, 1 it has mistakes."
  )

  @Option(
    name: .customLong("config.file"),
    help: ArgumentHelp("Configuration file. [MULTISTORE_CONFIG_FILE]", valueName: "file")
  )
  var configFile: String?

  @Option(
    name: .customLong("web.config.file"),
    help: ArgumentHelp(
      "Web configuration file, to be checked too, or alone. [MULTISTORE_WEB_CONFIG_FILE]",
      valueName: "file"
    )
  )
  var webConfigFile: String?

  func run() throws {
    var reports: [ConfigurationCheck.Report] = []
    let webFile = Environment.value(webConfigFile, "web.config.file")
    if let file = Environment.value(configFile, "config.file") {
      reports.append(ConfigurationCheck.report(file: file))
    } else if webFile == nil {
      _ = try Environment.required(configFile, "config.file")
    }
    if let webFile { reports.append(ConfigurationCheck.report(webFile: webFile)) }
    for report in reports where !report.warnings.isEmpty { StandardError.say(report.warnings, terminator: "") }
    print(reports.map(\.text).joined(), terminator: "")
    if let exitCode = reports.map(\.exitCode).max(), exitCode != 0 { throw ExitCode(exitCode) }
  }
}
