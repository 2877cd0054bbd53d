internal import HTTPServer

/// The paths of the admin API: its routes answer them, and the command line requests them.
public enum AdminPath {
  /// The feature flags, as GitLab's Features API has them.
  public static let features = "/api/v4/features"
  /// The commands that clients have sent.
  public static let inventory = "/api/v4/inventory"
  /// The progress of each migration.
  public static let status = "/api/v4/status"

  /// Returns the path of one feature flag.
  public static func feature(_ name: String) -> String { "\(features)/\(PercentEncoding.encode(name))" }

  /// Returns the path of a report with its query.
  ///
  /// - Parameters:
  ///   - path: ``inventory`` or ``status``.
  ///   - instance: The instance to show; nil for all.
  ///   - format: The format of the answer.
  public static func report(_ path: String, instance: String?, format: ReportFormat) -> String {
    let instance = instance.map { "&instance=\(PercentEncoding.encode($0))" } ?? ""
    return "\(path)?format=\(format.rawValue)\(instance)"
  }
}

/// The formats of a report. Raw values are values of the parameter `format`.
public enum ReportFormat: String, Sendable, CaseIterable {
  /// For a terminal, so that the command line and curl show the same.
  case table
  /// For programs.
  case json
}
