internal import Logging

/// The options of the command line and the environment, besides the configuration file.
public struct SidecarOptions: Sendable {
  /// The addresses of /metrics: `HOST:PORT` or `unix:PATH`, each with the same pages.
  public var webListenAddresses: [String]
  /// Whether the sockets for /metrics come from the service manager instead.
  public var usesSystemdSockets: Bool
  /// The file with certificate and users of these listeners; nil for plain HTTP without login.
  public var webConfigFile: String?
  /// The path of the metrics page.
  public var telemetryPath: String
  /// The address of the admin API: `HOST:PORT` or `unix:PATH`.
  public var adminListenAddress: String
  /// The lowest level that is logged; one of ``logLevels``.
  public var logLevel: String
  /// The log file; `-` for standard error.
  public var logFile: String

  /// Creates options; the defaults are the documented ones.
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

  /// All levels, from the most to the least verbose.
  public static let logLevels = Logger.Level.allCases.map(\.rawValue)

  /// The default address of /metrics: loopback, so that scraping from elsewhere is a deliberate choice.
  public static let defaultWebListenAddress = "127.0.0.1:9736"
  /// The default address of the admin API. It is not the scraped port, because the API changes flags.
  public static let defaultAdminListenAddress = "127.0.0.1:9737"
}

/// A failure to start, for the operator.
public struct SidecarStartError: Error, Sendable, CustomStringConvertible {
  /// The failure, its place and the remedy, in one sentence.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
