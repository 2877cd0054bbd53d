/// The kind of a metric.
public enum MultiStoreMetricKind: Sendable {
  /// Only goes up.
  case counter
  /// Goes up and down.
  case gauge
  /// Durations in seconds.
  case timer
}

/// The name, kind, help text and labels of one metric.
public struct MultiStoreMetric: Sendable {
  /// The metric's full name.
  public let name: String
  /// The metric's kind.
  public let kind: MultiStoreMetricKind
  /// One sentence for the reader.
  public let help: String
  /// The names of its labels.
  public let labels: [String]
}
