public import CoreMetrics
internal import Synchronization

/// The metrics of a process, and their exposition in Prometheus' formats.
///
/// Three ways to feed it:
/// * handles for metrics that were described (``counter(_:labels:)`` and its siblings), kept by whoever counts;
/// * swift-metrics, for which it is a `MetricsFactory`: the metrics of libraries, known or unknown to the program;
/// * collectors (``collect(_:)``), which compute values when a scrape asks for them.
///
/// Everything may be called from any thread. Counting takes no lock. Asking for a handle and the beginning of a scrape
/// take one for the time of a dictionary look-up or of copying a reference; the text is rendered outside it.
public final class PrometheusRegistry: MetricsFactory, Sendable {
  /// What computes values during a scrape.
  public typealias Collector = @Sendable (inout SampleWriter) -> Void

  private struct State {
    var table: FamilyTable
    var collectors: [Collector] = []
  }

  /// The most time series a metric has unless told otherwise.
  ///
  /// Labels here come from closed tables (commands, instances, stores), which stay far below; a label made from data
  /// would otherwise take memory, here and in Prometheus, until one of them dies.
  public static let defaultMaxSeriesPerMetric = 2000

  /// How many requests for a time series went to the gathering series or to nowhere. Every registry has this metric.
  public static let droppedSeries = MetricDescriptor(
    name: "multistore_metrics_series_dropped_total",
    kind: .counter,
    help: "Time series refused: over a limit, or conflicting with another",
    labels: ["reason"]
  )

  private let state: Mutex<State>
  private let droppedByLimit: Counter
  private let droppedByConflict: Counter

  /// Makes a registry.
  ///
  /// - Parameters:
  ///   - descriptors: The metrics it knows from the start; see ``describe(_:)``.
  ///   - maxSeriesPerMetric: How many time series a metric may have; one more, with `other` for every label, gathers
  ///     what is over. At least 1.
  public init(
    describing descriptors: [MetricDescriptor] = [],
    maxSeriesPerMetric: Int = PrometheusRegistry.defaultMaxSeriesPerMetric
  ) {
    precondition(maxSeriesPerMetric >= 1, "A metric has at least one time series; \(maxSeriesPerMetric) was asked for.")
    // Its own two reasons have their place whatever the limit is for others.
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

  /// Makes metrics known, before they are used. Saying the same twice changes nothing.
  ///
  /// A description with a ``MetricDescriptor/mistake``, or one that contradicts what is known, is a programming error
  /// and traps with a sentence that says which.
  public func describe(_ descriptors: [MetricDescriptor]) {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try state.withLock { (state) throws(RegistrationError) in
        for descriptor in descriptors { try state.table.add(descriptor) }
      }
    }
  }

  /// What is known of every metric, sorted by name, for documentation (`describe-metrics`).
  package var descriptors: [MetricDescriptor] {
    state.withLock { $0.table }.families.values.map(\.descriptor).sorted { $0.name < $1.name }
  }

  /// The counter of a name and labels: the same object whenever the same is asked for. It exists with 0 from then on.
  ///
  /// The metric must have been described, as a counter with these labels (in any order); anything else is a programming
  /// error and traps.
  public func counter(_ name: String, labels: [(String, String)] = []) -> Counter {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.counter(name, LabelSet(labels)) }
    }
  }

  /// The gauge of a name and labels; as ``counter(_:labels:)``.
  public func gauge(_ name: String, labels: [(String, String)] = []) -> Gauge {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.gauge(name, LabelSet(labels)) }
    }
  }

  /// The histogram of a name and labels, with the buckets it was described with; as ``counter(_:labels:)``.
  public func histogram(_ name: String, labels: [(String, String)] = []) -> Histogram {
    PrometheusRegistry.trapping { () throws(RegistrationError) in
      try resolve { (table) throws(RegistrationError) in try table.histogram(name, LabelSet(labels)) }
    }
  }

  /// Adds something that computes values whenever a scrape asks for them, in the order of adding.
  ///
  /// It runs on the scraping thread, without the registry's lock. It must not wait for anything, and there is no taking
  /// it back: collectors are added while a program starts.
  public func collect(_ collector: @escaping Collector) {
    state.withLock { $0.collectors.append(collector) }
  }

  /// The page that a scrape gets: families by name, series by label values, UTF-8.
  public func exposition(_ format: ExpositionFormat) -> [UInt8] {
    ExpositionRenderer.render(collected(), format: format)
  }

  /// The same values for the program itself. Counters and gauges of the reading go on; what collectors computed stays.
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

  /// A time series for a metric that somebody else named, through swift-metrics: described on the spot if it has to be.
  ///
  /// - Returns: The series, or nil if the metric cannot be had under that name; that is counted, because a library's
  ///   choice of names must not stop the process.
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

  /// Whether and how a name was described.
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
