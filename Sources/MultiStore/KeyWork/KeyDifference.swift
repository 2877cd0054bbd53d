/// The kind of difference between a key of the default store and the other store's. Raw values appear in metrics, files
/// and reports.
public enum KeyDifference: String, CaseIterable, Sendable {
  /// The other store lacks it.
  case missing
  /// Only the other store has it.
  case extra
  /// The types differ.
  case type
  /// The contents differ.
  case value
  /// The times of their expiry differ, and nothing else.
  case expiry
}
