internal import Logging

/// What the command line (or the environment) says besides the configuration file.
public struct SidecarOptions: Sendable {
  /// Where /metrics is: `HOST:PORT` or `unix:PATH`, each with the same pages.
  public var webListenAddresses: [String]
  /// Whether the sockets for /metrics come from the service manager instead.
  public var usesSystemdSockets: Bool
  /// The file with certificate and users of these listeners; nil for plain HTTP for everybody.
  public var webConfigFile: String?
  /// The path of the metrics page.
  public var telemetryPath: String
  /// Where the admin API is: `HOST:PORT` or `unix:PATH`.
  public var adminListenAddress: String
  /// The lowest level that is logged; one of ``logLevels``.
  public var logLevel: String
  /// The log file; `-` for standard error.
  public var logFile: String

  /// The documented defaults, unless said otherwise.
  public init(
    webListenAddresses: [String] = [Self.defaultWebListenAddress],
    usesSystemdSockets: Bool = false,
    webConfigFile: String? = nil,
    telemetryPath: String = "/metrics",
    adminListenAddress: String = Self.defaultAdminListenAddress,
    logLevel: String = "info",
    logFile: String = "-"
  ) {
    self.webListenAddresses = webListenAddresses
    self.usesSystemdSockets = usesSystemdSockets
    self.webConfigFile = webConfigFile
    self.telemetryPath = telemetryPath
    self.adminListenAddress = adminListenAddress
    self.logLevel = logLevel
    self.logFile = logFile
  }

  /// The levels there are, from the most to the least talkative.
  public static let logLevels = Logger.Level.allCases.map(\.rawValue)

  /// Loopback: whoever wants it scraped from elsewhere says so.
  public static let defaultWebListenAddress = "127.0.0.1:9736"
  /// Apart from the scraped port, because it changes things.
  public static let defaultAdminListenAddress = "127.0.0.1:9737"
}

/// Why the sidecar did not start: one sentence for the person who started it.
public struct SidecarStartError: Error, Sendable, CustomStringConvertible {
  /// What went wrong, where, and what to do.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
