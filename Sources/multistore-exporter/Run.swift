internal import ArgumentParser
internal import Sidecar

/// What happens without a subcommand: the sidecar runs.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the sidecar; what happens when no subcommand is named."
  )

  @Option(name: .customLong("config.file"), help: "Configuration file. [MULTISTORE_CONFIG_FILE]")
  var configFile: String?

  @Option(
    name: .customLong("web.listen-address"),
    help: "HOST:PORT or unix:PATH for /metrics, health and readiness. [MULTISTORE_WEB_LISTEN_ADDRESS]"
  )
  var webListenAddress: String?

  @Option(name: .customLong("web.telemetry-path"), help: "Path of the metrics. [MULTISTORE_WEB_TELEMETRY_PATH]")
  var telemetryPath: String?

  @Option(
    name: .customLong("admin.listen-address"),
    help: "HOST:PORT or unix:PATH for the admin API, which flips flags. [MULTISTORE_ADMIN_LISTEN_ADDRESS]"
  )
  var adminListenAddress: String?

  @Option(
    name: .customLong("log.level"),
    help: "trace, debug, info, notice, warning, error or critical. [MULTISTORE_LOG_LEVEL]"
  )
  var logLevel: String?

  @Option(
    name: .customLong("log.file"),
    help: "File of the JSON log, opened anew on SIGHUP; - for standard error. [MULTISTORE_LOG_FILE]"
  )
  var logFile: String?

  func run() throws {
    let file = try Environment.required(configFile, "config.file")
    let defaults = SidecarOptions()
    let level = Environment.value(logLevel, "log.level") ?? defaults.logLevel
    guard SidecarOptions.logLevels.contains(level) else {
      let known = SidecarOptions.logLevels.joined(separator: ", ")
      throw ValidationError("--log.level: \"\(level)\" is no level; expected one of \(known)")
    }
    let result = SidecarConfiguration.load(file: file)
    for problem in result.problems { StandardError.say("\(problem)") }
    guard let configuration = result.configuration else {
      StandardError.say("\(file): not started; see multistore-exporter check-config --config.file=\(file)")
      throw ExitCode(1)
    }
    let options = SidecarOptions(
      webListenAddress: Environment.value(webListenAddress, "web.listen-address") ?? defaults.webListenAddress,
      telemetryPath: Environment.value(telemetryPath, "web.telemetry-path") ?? defaults.telemetryPath,
      adminListenAddress: Environment.value(adminListenAddress, "admin.listen-address") ?? defaults.adminListenAddress,
      logLevel: level,
      logFile: Environment.value(logFile, "log.file") ?? defaults.logFile
    )
    do {
      try Sidecar(configuration: configuration, options: options).run()
    } catch {
      StandardError.say("multistore-exporter: \(error)")
      throw ExitCode(2)
    }
  }
}
