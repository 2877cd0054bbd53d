/// The origin of a feature flag's value: the label `source`, and the same word in the log.
public enum FlagSource: String, Sendable, CaseIterable {
  /// The flag is not set, so it is off.
  case standard = "default"
  /// The feature flag file, edited or as it was at the start.
  case file
  /// The admin API, which the command line uses too.
  case adminAPI = "admin_api"
}
