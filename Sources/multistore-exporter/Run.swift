internal import ArgumentParser
internal import Sidecar

/// `run`, the default subcommand: runs the sidecar.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs the sidecar; what happens when no subcommand is named."
  )

  @Option(
    name: .customLong("config.file"),
    help: ArgumentHelp("Configuration file. [MULTISTORE_CONFIG_FILE]", valueName: "file")
  )
  var configFile: String?

  @Option(
    name: .customLong("web.listen-address"),
    help: ArgumentHelp(
      "HOST:PORT or unix:PATH for /metrics, health and readiness; may be repeated. [MULTISTORE_WEB_LISTEN_ADDRESS]",
      discussion: "In the environment, commas are between several addresses.",
      valueName: "address"
    )
  )
  var webListenAddresses: [String] = []

  @Flag(
    name: .customLong("web.systemd-socket"),
    help: "Listen on the sockets of a systemd socket unit instead. [MULTISTORE_WEB_SYSTEMD_SOCKET]"
  )
  var usesSystemdSockets = false

  @Option(
    name: .customLong("web.config.file"),
    help: ArgumentHelp(
      "File with TLS, users and headers of these listeners, as exporters have it. [MULTISTORE_WEB_CONFIG_FILE]",
      valueName: "file"
    )
  )
  var webConfigFile: String?

  @Option(
    name: .customLong("web.telemetry-path"),
    help: ArgumentHelp("Path of the metrics. [MULTISTORE_WEB_TELEMETRY_PATH]", valueName: "path")
  )
  var telemetryPath: String?

  @Option(
    name: .customLong("admin.listen-address"),
    help: ArgumentHelp(
      "HOST:PORT or unix:PATH for the admin API, which flips flags. [MULTISTORE_ADMIN_LISTEN_ADDRESS]",
      valueName: "address"
    )
  )
  var adminListenAddress: String?

  @Option(
    name: .customLong("log.level"),
    help: ArgumentHelp(
      "trace, debug, info, notice, warning, error or critical. [MULTISTORE_LOG_LEVEL]",
      valueName: "level"
    )
  )
  var logLevel: String?

  @Option(
    name: .customLong("log.file"),
    help: ArgumentHelp(
      "File of the JSON log, reopened on SIGHUP; - for standard error. [MULTISTORE_LOG_FILE]",
      valueName: "file"
    )
  )
  var logFile: String?

  func run() throws {
    let file = try Environment.required(configFile, "config.file")
    let options = try options()
    let configuration = try Self.load(file, webFile: options.webConfigFile)
    do {
      try Sidecar(configuration: configuration, options: options).run()
    } catch {
      StandardError.say("multistore-exporter: \(error)")
      throw ExitCode(2)
    }
  }

  private func options() throws -> SidecarOptions {
    let defaults = SidecarOptions()
    let level = Environment.value(logLevel, "log.level") ?? defaults.logLevel
    guard SidecarOptions.logLevels.contains(level) else {
      let known = SidecarOptions.logLevels.joined(separator: ", ")
      throw ValidationError("--log.level: \"\(level)\" is no level; expected one of \(known)")
    }
    return SidecarOptions(
      webListenAddresses: Environment.values(webListenAddresses, "web.listen-address") ?? defaults.webListenAddresses,
      usesSystemdSockets: try Environment.flag(usesSystemdSockets, "web.systemd-socket"),
      webConfigFile: Environment.value(webConfigFile, "web.config.file"),
      telemetryPath: Environment.value(telemetryPath, "web.telemetry-path") ?? defaults.telemetryPath,
      adminListenAddress: Environment.value(adminListenAddress, "admin.listen-address") ?? defaults.adminListenAddress,
      logLevel: level,
      logFile: Environment.value(logFile, "log.file") ?? defaults.logFile
    )
  }

  /// Reads the configuration, checks the web configuration, and reports the problems of both.
  private static func load(_ file: String, webFile: String?) throws -> SidecarConfiguration {
    let result = SidecarConfiguration.load(file: file)
    let webProblems = webFile.map { ConfigurationCheck.problems(webFile: $0) } ?? []
    for problem in result.problems + webProblems { StandardError.say("\(problem)") }
    guard let configuration = result.configuration, webProblems.allSatisfy(\.isWarning) else {
      let web = webFile.map { " --web.config.file=\($0)" } ?? ""
      StandardError.say("\(file): not started; see multistore-exporter check-config --config.file=\(file)\(web)")
      throw ExitCode(1)
    }
    return configuration
  }
}
