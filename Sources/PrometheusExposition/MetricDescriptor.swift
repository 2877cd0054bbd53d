// The name, the meaning and the labels of a metric: one value per metric, in a table of the target that owns the
// vocabulary, so that documentation and exposition agree.

/// The fixed facts about one metric.
public struct MetricDescriptor: Sendable, Equatable {
  /// The kinds of metrics, in Prometheus' terms.
  public enum Kind: Sendable, Equatable {
    /// A number of events since the process started, which never falls. Its name ends in `_total`.
    case counter
    /// A value that rises and falls.
    case gauge
    /// A distribution, counted in buckets.
    ///
    /// The upper bounds are inclusive, strictly increasing, finite, in the base unit of the metric (seconds, bytes),
    /// and at most ``Histogram/maxBuckets`` of them. The bucket for everything above the last one is implied.
    case histogram(buckets: [Double])

    /// The word in the exposition's `# TYPE` line.
    public var typeName: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  /// The full name, unit and `_total` included.
  public let name: String

  /// The kind of the metric.
  public let kind: Kind

  /// One sentence for the `# HELP` line.
  public let help: String

  /// The names of the labels, in the order in which they are written.
  public let labels: [String]

  /// Describes a metric. ``PrometheusRegistry/describe(_:)`` checks it by ``mistake``.
  ///
  /// - Parameters:
  ///   - name: The full name, unit and `_total` included.
  ///   - kind: The kind of the metric.
  ///   - help: One sentence for the `# HELP` line.
  ///   - labels: The names of the labels, in the order in which they are written.
  public init(name: String, kind: Kind, help: String, labels: [String] = []) {
    self.name = name
    self.kind = kind
    self.help = help
    self.labels = labels
  }

  /// The mistake in this description as a sentence; nil if there is none.
  ///
  /// The rules are those of Prometheus' data model and of its naming guide, as `promtool check metrics` applies them.
  public var mistake: String? {
    if !MetricName.isLegal(name) {
      return "\"\(name)\" is not a metric name: letters, digits and underscores, not beginning with a digit"
    }
    if help.isEmpty {
      return "\(name) has no help text"
    }
    if let mistake = suffixMistake {
      return mistake
    }
    for (index, label) in labels.enumerated() {
      if !MetricName.isLegalLabel(label) {
        return "\(name) has a label \"\(label)\", which is not a label name or is reserved"
      }
      if labels[..<index].contains(label) {
        return "\(name) has the label \(label) twice"
      }
    }
    if case .histogram(let buckets) = kind {
      return bucketMistake(buckets)
    }
    return nil
  }

  /// The names under which the metric appears in an exposition, in either format. No two metrics may share one.
  ///
  /// OpenMetrics names a counter's family without `_total`, so a counter `x_total` and a gauge `x` exclude each other.
  var claimedNames: [String] {
    switch kind {
    case .counter: [name, familyName]
    case .gauge: [name]
    case .histogram: [name, name + "_bucket", name + "_count", name + "_sum"]
    }
  }

  /// The name of the family in OpenMetrics: a counter's without `_total`.
  var familyName: String {
    guard case .counter = kind, name.hasSuffix("_total") else { return name }
    return String(name.dropLast("_total".count))
  }

  private var suffixMistake: String? {
    if case .counter = kind {
      return name.hasSuffix("_total") ? nil : "the counter \(name) does not end in _total"
    }
    for suffix in MetricName.reservedEndings where name.hasSuffix(suffix) {
      return "\(name) ends in \(suffix), which is for counters and for the parts of histograms"
    }
    return nil
  }

  private func bucketMistake(_ buckets: [Double]) -> String? {
    if buckets.isEmpty || buckets.count > Histogram.maxBuckets {
      return "\(name) has \(buckets.count) buckets, not 1 to \(Histogram.maxBuckets)"
    }
    if !buckets.allSatisfy(\.isFinite) {
      return "\(name) has a bucket that is not finite; the one for everything is implied"
    }
    for (lower, upper) in zip(buckets, buckets.dropFirst()) where lower >= upper {
      return "the buckets of \(name) do not increase: \(lower), \(upper)"
    }
    return nil
  }
}
