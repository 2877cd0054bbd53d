// The table of metrics with their time series. A plain value: the registry keeps one behind its lock, and a scrape
// works on a copy.

/// A metric: its description and its time series.
struct Family {
  let descriptor: MetricDescriptor
  let heading: FamilyHeading
  var series = SortedSeries()

  init(_ descriptor: MetricDescriptor) {
    self.descriptor = descriptor
    heading = FamilyHeading(descriptor)
  }
}

/// One time series: the source of its value, and its rendered labels.
struct Series {
  /// The source of a value.
  enum Value {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
    /// Computed by a collector for one scrape.
    case computed(Double)
  }

  let value: Value
  let renderedLabels: [UInt8]
}

/// The reason for refusing a time series.
enum RegistrationError: Error, Equatable, CustomStringConvertible {
  case mistake(String)
  case notDescribed(name: String)
  case describedDifferently(name: String)
  case nameTaken(name: String, by: String)
  case otherKind(name: String, described: String, asked: String)
  case otherLabels(name: String, described: [String], asked: [String])
  case tooManyMetrics(name: String, limit: Int)

  var description: String {
    switch self {
    case .mistake(let sentence):
      "Metric description: \(sentence)."
    case .notDescribed(let name):
      "The metric \(name) was not described to the registry; add it to the table of metrics that it belongs to."
    case .describedDifferently(let name):
      "The metric \(name) is already known under another description; describe a metric once, before it is used."
    case .nameTaken(let name, let other):
      "The metric \(name) would appear under a name that belongs to \(other); rename one of them."
    case .otherKind(let name, let described, let asked):
      "The metric \(name) is a \(described) and cannot be used as a \(asked)."
    case .otherLabels(let name, let described, let asked):
      "The metric \(name) has the labels \(described) and cannot be used with \(asked)."
    case .tooManyMetrics(let name, let limit):
      "There is no room for the metric \(name): \(limit) metrics is the limit."
    }
  }
}

/// The families by name.
struct FamilyTable {
  /// A time series, and whether it is the gathering one because the metric has reached its limit.
  struct Resolved {
    var value: Series.Value
    var gathered: Bool
  }

  /// The limit on the number of metrics. A program has a few hundred at most; more means that names are made from data.
  static let maxFamilies = 2000

  var maxSeriesPerMetric: Int
  private(set) var families: [String: Family] = [:]
  /// The names of all metrics, in order.
  private(set) var names: [String] = []
  /// The metrics by the names that they own in the exposition; see ``MetricDescriptor/claimedNames``.
  private var owners: [String: String] = [:]

  init(maxSeriesPerMetric: Int) {
    self.maxSeriesPerMetric = maxSeriesPerMetric
  }

  /// Adds a metric without any time series yet. The same description twice is the same metric.
  mutating func add(_ descriptor: MetricDescriptor) throws(RegistrationError) {
    if let mistake = descriptor.mistake { throw .mistake(mistake) }
    if let present = families[descriptor.name] {
      if present.descriptor == descriptor { return }
      throw .describedDifferently(name: descriptor.name)
    }
    for name in descriptor.claimedNames {
      if let owner = owners[name] { throw .nameTaken(name: descriptor.name, by: owner) }
    }
    if families.count >= FamilyTable.maxFamilies {
      throw .tooManyMetrics(name: descriptor.name, limit: FamilyTable.maxFamilies)
    }
    families[descriptor.name] = Family(descriptor)
    names.insert(descriptor.name, at: names.firstIndex { $0 > descriptor.name } ?? names.count)
    for name in descriptor.claimedNames { owners[name] = descriptor.name }
  }

  /// Returns a time series of a metric that was added, and creates it if it does not exist.
  mutating func counter(_ name: String, _ labels: LabelSet) throws(RegistrationError) -> (Counter, gathered: Bool) {
    let resolved = try resolve(name, labels, as: .counter) { _ in .counter(Counter()) }
    guard case .counter(let counter) = resolved.value else { preconditionFailure("\(name) is a counter.") }
    return (counter, resolved.gathered)
  }

  /// Returns a time series of a metric that was added, and creates it if it does not exist.
  mutating func gauge(_ name: String, _ labels: LabelSet) throws(RegistrationError) -> (Gauge, gathered: Bool) {
    let resolved = try resolve(name, labels, as: .gauge) { _ in .gauge(Gauge()) }
    guard case .gauge(let gauge) = resolved.value else { preconditionFailure("\(name) is a gauge.") }
    return (gauge, resolved.gathered)
  }

  /// Returns a time series of a metric that was added, and creates it if it does not exist.
  mutating func histogram(_ name: String, _ labels: LabelSet) throws(RegistrationError) -> (Histogram, gathered: Bool) {
    let resolved = try resolve(name, labels, as: .histogram(buckets: [])) { kind in
      guard case .histogram(let buckets) = kind else { preconditionFailure("\(name) is a histogram.") }
      return .histogram(Histogram(bounds: buckets))
    }
    guard case .histogram(let histogram) = resolved.value else { preconditionFailure("\(name) is a histogram.") }
    return (histogram, resolved.gathered)
  }

  /// Replaces a time series by a computed value.
  ///
  /// - Returns: Whether it went to the gathering series.
  mutating func set(
    _ value: Double,
    of name: String,
    _ labels: LabelSet,
    as kind: MetricDescriptor.Kind
  ) throws(RegistrationError) -> Bool {
    let (key, known, gathered) = try place(name, labels, as: kind)
    let rendered = known?.renderedLabels ?? key.rendered
    families[name]?.series[key] = Series(value: .computed(value), renderedLabels: rendered)
    return gathered
  }

  private mutating func resolve(
    _ name: String,
    _ labels: LabelSet,
    as kind: MetricDescriptor.Kind,
    make: (MetricDescriptor.Kind) -> Series.Value
  ) throws(RegistrationError) -> Resolved {
    let (key, known, gathered) = try place(name, labels, as: kind)
    if let known { return Resolved(value: known.value, gathered: gathered) }
    let series = Series(value: make(families[name]?.descriptor.kind ?? kind), renderedLabels: key.rendered)
    families[name]?.series[key] = series
    return Resolved(value: series.value, gathered: gathered)
  }

  /// Returns the place of a time series: its labels in the described order, or those of the gathering series if it is
  /// new and beyond the limit.
  private func place(
    _ name: String,
    _ labels: LabelSet,
    as kind: MetricDescriptor.Kind
  ) throws(RegistrationError) -> (key: LabelSet, known: Series?, gathered: Bool) {
    guard let family = families[name] else { throw .notDescribed(name: name) }
    let described = family.descriptor
    guard described.kind.typeName == kind.typeName else {
      throw .otherKind(name: name, described: described.kind.typeName, asked: kind.typeName)
    }
    guard let ordered = labels.ordered(as: described.labels) else {
      throw .otherLabels(name: name, described: described.labels, asked: labels.names)
    }
    if let known = family.series[ordered] { return (ordered, known, false) }
    if family.series.count < maxSeriesPerMetric || ordered.names.isEmpty { return (ordered, nil, false) }
    return (ordered.gathered, family.series[ordered.gathered], true)
  }
}
