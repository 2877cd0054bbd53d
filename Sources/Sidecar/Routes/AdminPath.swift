internal import HTTPServer

/// The paths of the admin API: its routes answer them, and the command line requests them.
public enum AdminPath {
  /// The feature flags, as GitLab's Features API has them.
  public static let features = "/api/v4/features"
  /// The commands that clients have sent.
  public static let inventory = "/api/v4/inventory"
  /// The progress of each migration.
  public static let status = "/api/v4/status"
  /// The stale keys.
  public static let stale = "/api/v4/stale"
  /// The operator's statement that the default store's outdated values count.
  public static let acceptedStaleKeys = "/api/v4/stale/accept"
  /// The operator's statement that a store is trusted.
  public static let trust = "/api/v4/trust"

  /// Backfills and verifications.
  public static let jobs = "/api/v4/jobs"
  /// The changes of a job.
  public static let jobChanges = ["pause", "resume", "cancel", "rate"]

  /// Returns the path of a change of a job, one of ``jobChanges``.
  public static func jobChange(_ name: String) -> String { "\(jobs)/\(name)" }

  /// Returns the path of the jobs with its query.
  ///
  /// - Parameters:
  ///   - instance: The instance; nil for all.
  ///   - job: `backfill` or `verify`.
  ///   - showsKeys: Whether keys are shown by their names.
  ///   - format: The format of the answer.
  public static func jobs(instance: String?, job: String, showsKeys: Bool, format: JobFormat) -> String {
    let instance = instance.map { "&instance=\(PercentEncoding.encode($0))" } ?? ""
    return "\(jobs)?format=\(format.rawValue)&job=\(job)\(instance)" + (showsKeys ? "&show_keys=true" : "")
  }

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

  /// Returns the path of the list of stale keys with its query.
  ///
  /// - Parameters:
  ///   - instance: The instance; nil for all.
  ///   - store: `primary` or `secondary`; nil for both.
  ///   - limit: The most keys of a store; nil for the default.
  ///   - showsKeys: Whether keys are shown by their names.
  ///   - format: The format of the answer.
  public static func staleKeys(
    instance: String?,
    store: String?,
    limit: String?,
    showsKeys: Bool,
    format: ReportFormat
  ) -> String {
    let fields = [("store", store), ("limit", limit), ("show_keys", showsKeys ? "true" : nil)]
    return fields.reduce(into: report(stale, instance: instance, format: format)) { path, field in
      if let value = field.1 { path += "&\(field.0)=\(PercentEncoding.encode(value))" }
    }
  }
}

/// The formats of the progress of jobs. Raw values are values of the parameter `format`.
public enum JobFormat: String, Sendable, CaseIterable {
  /// For a person.
  case table
  /// For programs.
  case json
  /// The state, and the progress on one line, for a program that shows it to a person.
  case line
}

/// The formats of a report. Raw values are values of the parameter `format`.
public enum ReportFormat: String, Sendable, CaseIterable {
  /// For a terminal, so that the command line and curl show the same.
  case table
  /// For programs.
  case json
}
