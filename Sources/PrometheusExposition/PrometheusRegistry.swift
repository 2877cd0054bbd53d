public import CoreMetrics
internal import Synchronization

/// The metrics of a process, and their exposition in Prometheus' formats.
///
/// It has three sources:
/// * handles of metrics that were described (``counter(_:labels:)`` and its siblings), kept by the code that counts;
/// * swift-metrics, for which it is a `MetricsFactory`: the metrics of libraries, known or unknown to the program;
/// * collectors (``collect(_:)``), which compute values during a scrape.
///
/// Any thread may call its methods. Counting takes no lock. Requesting a handle and beginning a scrape take one for the
/// time of a dictionary look-up or of copying a reference; the text is rendered outside it.
public final class PrometheusRegistry: MetricsFactory, Sendable {
  /// Computes values during a scrape.
  public typealias Collector = @Sendable (inout SampleWriter) -> Void

  private struct State {
    var table: FamilyTable
    var collectors: [Collector] = []
  }

  /// The default limit on the time series of a metric.
  ///
  /// Labels come from closed tables (commands, instances, stores) and stay far below it. Without a limit, a label made
  /// from data would use up memory, here and in Prometheus.
  public static let defaultMaxSeriesPerMetric = 2000

  /// The number of requests for a time series that were answered with the gathering series or refused. Every registry
  /// has this metric.
  public static let droppedSeries = MetricDescriptor(
    name: "multistore_metrics_series_dropped_total",
    kind: .counter,
    help: "Time series refused: over a limit, or conflicting with another",
    labels: ["reason"]
  )

  private let state: Mutex<State>
  private let droppedByLimit: Counter
  private let droppedByConflict: Counter

  /// Creates a registry.
  ///
  /// - Parameters:
  ///   - descriptors: The metrics that are described from the start; see ``describe(_:)``.
  ///   - maxSeriesPerMetric: The limit on the time series of a metric, at least 1; one more, with `other` for every
  ///     label, gathers those beyond it.
  public init(
    describing descriptors: [MetricDescriptor] = [],
    maxSeriesPerMetric: Int = PrometheusRegistry.defaultMaxSeriesPerMetric
  ) {
    precondition(maxSeriesPerMetric >= 1, "A metric has at least one time series; \(maxSeriesPerMetric) was asked for.")
    // The registry's own metric has room for its two reasons, whatever the limit for others is.
    var table = FamilyTable(maxSeriesPerMetric: 2)
    let dropped = PrometheusRegistry.droppedSeries
    (droppedByLimit, droppedByConflict) = PrometheusRegistry.trapping {
      () throws(RegistrationError) -> (Counter, Counter) in
      try table.add(dropped)
      return (
        try table.counter(dropped.name, LabelSet([("reason", "limit")])).0,
        try table.counter(dropped.name, LabelSet([("reason", "conflict")])).0
      )
    }
    table.maxSeriesPerMetric = maxSeriesPerMetric
    state = Mutex(State(table: table))
    describe(descriptors)
  }

  /// Describes metrics before they are used. The same description again changes nothing.
  ///
  /// A description with a ``MetricDescriptor/mistake``, or one that contradicts an earlier one, is a programming error
  /// and traps with a sentence that names it.
  public func describe(_ descriptors: [MetricDescriptor]) {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try state.withLock { (state) throws(RegistrationError) in
        for descriptor in descriptors { try state.table.add(descriptor) }
      }
    }
  }

  /// The descriptions of all metrics, sorted by name.
  package var descriptors: [MetricDescriptor] {
    state.withLock { $0.table }.families.values.map(\.descriptor).sorted { $0.name < $1.name }
  }

  /// Returns the counter with a name and labels, always the same object. It is exposed with 0 from then on.
  ///
  /// The metric must have been described as a counter with these labels, in any order; anything else is a programming
  /// error and traps.
  public func counter(_ name: String, labels: [(String, String)] = []) -> Counter {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.counter(name, LabelSet(labels)) }
    }
  }

  /// Returns the gauge with a name and labels; as ``counter(_:labels:)``.
  public func gauge(_ name: String, labels: [(String, String)] = []) -> Gauge {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.gauge(name, LabelSet(labels)) }
    }
  }

  /// Returns the histogram with a name and labels, and with the described buckets; as ``counter(_:labels:)``.
  public func histogram(_ name: String, labels: [(String, String)] = []) -> Histogram {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.histogram(name, LabelSet(labels)) }
    }
  }

  /// Adds a collector, which computes values during each scrape; collectors run in the order in which they were added.
  ///
  /// It runs on the scraping thread, without the registry's lock, and must not block. It cannot be removed: collectors
  /// are added while a program starts.
  public func collect(_ collector: @escaping Collector) {
    state.withLock { $0.collectors.append(collector) }
  }

  /// Returns the page for a scrape: families by name, series by label values, in UTF-8.
  public func exposition(_ format: ExpositionFormat) -> [UInt8] {
    ExpositionRenderer.render(collected(), format: format)
  }

  /// Returns the same values for the program itself. Counters and gauges in it keep changing; collectors' values do
  /// not.
  public func reading() -> MetricsReading {
    MetricsReading(collected())
  }

  private func collected() -> FamilyTable {
    let (table, collectors) = state.withLock { ($0.table, $0.collectors) }
    var writer = SampleWriter(table: table)
    for collector in collectors { collector(&writer) }
    droppedByLimit.increment(by: writer.droppedByLimit)
    droppedByConflict.increment(by: writer.droppedByConflict)
    return writer.table
  }

  /// Returns a time series for a library's metric, which is described here if it is not known.
  ///
  /// - Returns: The series; nil if the metric cannot have that name. That is counted and does not trap, because a
  ///   library's choice of names must not stop the process.
  func resolveForeign<Handle>(
    describing descriptor: MetricDescriptor,
    _ body: (inout FamilyTable) throws(RegistrationError) -> (Handle, gathered: Bool)
  ) -> Handle? {
    do {
      return try resolve { (table) throws(RegistrationError) in
        if table.families[descriptor.name] == nil { try table.add(descriptor) }
        return try body(&table)
      }
    } catch {
      if case .tooManyMetrics = error { droppedByLimit.increment() } else { droppedByConflict.increment() }
      return nil
    }
  }

  /// Returns the description of a metric; nil if it was not described.
  func descriptor(of name: String) -> MetricDescriptor? {
    state.withLock { $0.table.families[name]?.descriptor }
  }

  private func resolve<Handle>(
    _ body: (inout FamilyTable) throws(RegistrationError) -> (Handle, gathered: Bool)
  ) throws(RegistrationError) -> Handle {
    let (handle, gathered) = try state.withLock { (state) throws(RegistrationError) in try body(&state.table) }
    if gathered { droppedByLimit.increment() }
    return handle
  }

  private static func trapping<Result>(_ body: () throws(RegistrationError) -> Result) -> Result {
    do { return try body() } catch { preconditionFailure(error.description) }
  }
}
