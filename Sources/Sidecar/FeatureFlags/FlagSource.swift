/// Where the value of a feature flag came from: the label `source`, and the same word in the log.
public enum FlagSource: String, Sendable, CaseIterable {
  /// Nobody says anything about the flag, so it is off.
  case standard = "default"
  /// The feature flag file, as somebody wrote it or as it was found at the start.
  case file
  /// The admin API, which the command line uses too.
  case adminAPI = "admin_api"
}
