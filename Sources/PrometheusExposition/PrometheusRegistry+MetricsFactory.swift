// swift-metrics' view of the registry. A label is taken for the name of a metric and sanitised into a legal one; a
// metric that the program described gets its series there, any other is described on the spot.

public import CoreMetrics

extension PrometheusRegistry {
  /// A counter. Unless described under exactly this name, it gets the ending `_total`.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    CounterAdapter(foreignCounter(label, dimensions))
  }

  /// A counter of fractions; as ``makeCounter(label:dimensions:)``.
  public func makeFloatingPointCounter(
    label: String,
    dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    CounterAdapter(foreignCounter(label, dimensions))
  }

  /// A gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    GaugeAdapter(foreignGauge(MetricName.sanitized(label, ending: ""), dimensions))
  }

  /// A gauge if it does not aggregate, else a histogram; a description decides otherwise.
  ///
  /// What nobody described has buckets in powers of four up to 16 Mi.
  public func makeRecorder(
    label: String,
    dimensions: [(String, String)],
    aggregate: Bool
  ) -> any RecorderHandler {
    let name = MetricName.sanitized(label, ending: "")
    let isHistogram =
      switch descriptor(of: name)?.kind {
      case .histogram: true
      case .gauge: false
      case .counter, nil: aggregate
      }
    if isHistogram {
      return HistogramAdapter(foreignHistogram(name, dimensions, buckets: Histogram.valueBuckets))
    }
    return GaugeAdapter(foreignGauge(name, dimensions))
  }

  /// A histogram of seconds. Unless described under exactly this name, it gets the ending `_seconds` and
  /// ``Histogram/durationBuckets``.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let plain = MetricName.sanitized(label, ending: "")
    let name = descriptor(of: plain) == nil ? MetricName.sanitized(label, ending: "_seconds") : plain
    return HistogramAdapter(foreignHistogram(name, dimensions, buckets: Histogram.durationBuckets))
  }

  /// Keeps the series: Prometheus takes a counter that vanishes for an outage, and one that comes back at 0 for a
  /// restart.
  public func destroyCounter(_ handler: any CounterHandler) {}

  /// Keeps the series, as ``destroyCounter(_:)``.
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}

  /// Keeps the series, as ``destroyCounter(_:)``.
  public func destroyMeter(_ handler: any MeterHandler) {}

  /// Keeps the series, as ``destroyCounter(_:)``.
  public func destroyRecorder(_ handler: any RecorderHandler) {}

  /// Keeps the series, as ``destroyCounter(_:)``.
  public func destroyTimer(_ handler: any TimerHandler) {}

  private func foreignCounter(_ label: String, _ dimensions: [(String, String)]) -> Counter {
    let labels = LabelSet(MetricName.sanitized(labels: dimensions))
    let descriptor = undescribed(MetricName.sanitized(label, ending: "_total"), .counter, labels)
    return resolveForeign(describing: descriptor) { (table) throws(RegistrationError) in
      try table.counter(descriptor.name, labels)
    } ?? Counter()
  }

  private func foreignGauge(_ name: String, _ dimensions: [(String, String)]) -> Gauge {
    let labels = LabelSet(MetricName.sanitized(labels: dimensions))
    let descriptor = undescribed(name, .gauge, labels)
    return resolveForeign(describing: descriptor) { (table) throws(RegistrationError) in
      try table.gauge(name, labels)
    } ?? Gauge()
  }

  private func foreignHistogram(
    _ name: String,
    _ dimensions: [(String, String)],
    buckets: [Double]
  ) -> Histogram {
    let labels = LabelSet(MetricName.sanitized(labels: dimensions))
    let descriptor = undescribed(name, .histogram(buckets: buckets), labels)
    return resolveForeign(describing: descriptor) { (table) throws(RegistrationError) in
      try table.histogram(name, labels)
    } ?? Histogram(bounds: buckets)
  }

  private func undescribed(_ name: String, _ kind: MetricDescriptor.Kind, _ labels: LabelSet) -> MetricDescriptor {
    MetricDescriptor(
      name: name,
      kind: kind,
      help: "Recorded through swift-metrics by a library; not described by the program",
      labels: labels.names
    )
  }
}

/// swift-metrics' counters on top of ours. A negative amount is left out: a counter never falls.
private final class CounterAdapter: CounterHandler, FloatingPointCounterHandler {
  private let counter: Counter

  init(_ counter: Counter) { self.counter = counter }

  func increment(by amount: Int64) {
    if amount > 0 { counter.increment(by: UInt64(amount)) }
  }

  func increment(by amount: Double) { counter.add(amount) }

  func reset() { counter.reset() }
}

/// swift-metrics' meters and gauges on top of ours.
private final class GaugeAdapter: MeterHandler, RecorderHandler {
  private let gauge: Gauge

  init(_ gauge: Gauge) { self.gauge = gauge }

  func set(_ value: Int64) { gauge.set(Double(value)) }

  func set(_ value: Double) { gauge.set(value) }

  func increment(by amount: Double) { gauge.add(amount) }

  func decrement(by amount: Double) { gauge.add(-amount) }

  func record(_ value: Int64) { gauge.set(Double(value)) }

  func record(_ value: Double) { gauge.set(value) }
}

/// swift-metrics' timers and aggregating recorders on top of ours. A negative duration counts as none: it comes from a
/// clock that was set back.
private final class HistogramAdapter: TimerHandler, RecorderHandler {
  private let histogram: Histogram

  init(_ histogram: Histogram) { self.histogram = histogram }

  func recordNanoseconds(_ duration: Int64) {
    histogram.observe(nanoseconds: UInt64(max(duration, 0)))
  }

  func record(_ value: Int64) { histogram.observe(Double(value)) }

  func record(_ value: Double) { histogram.observe(value) }
}
