// The registry as swift-metrics' factory. A label is the name of a metric and is made legal; a series belongs to the
// metric that the program described, or to one that is described here.

public import CoreMetrics

extension PrometheusRegistry {
  /// Returns a counter. Unless it was described by exactly this name, its name gets the ending `_total`.
  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    CounterAdapter(foreignCounter(label, dimensions))
  }

  /// Returns a counter of fractions; as ``makeCounter(label:dimensions:)``.
  public func makeFloatingPointCounter(
    label: String,
    dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    CounterAdapter(foreignCounter(label, dimensions))
  }

  /// Returns a gauge.
  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    GaugeAdapter(foreignGauge(MetricName.sanitized(label, ending: ""), dimensions))
  }

  /// Returns a gauge if it does not aggregate, and a histogram otherwise; a description takes precedence.
  ///
  /// Without a description, buckets are powers of four up to 16 Mi.
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

  /// Returns a histogram of seconds. Unless it was described by exactly this name, its name gets the ending `_seconds`,
  /// and it has ``Histogram/durationBuckets``.
  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let plain = MetricName.sanitized(label, ending: "")
    let name = descriptor(of: plain) == nil ? MetricName.sanitized(label, ending: "_seconds") : plain
    return HistogramAdapter(foreignHistogram(name, dimensions, buckets: Histogram.durationBuckets))
  }

  /// Keeps the series: Prometheus takes a missing counter for an outage, and one that is back at 0 for a restart.
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

/// Adapts a counter to swift-metrics. A negative amount is ignored: a counter never falls.
private final class CounterAdapter: CounterHandler, FloatingPointCounterHandler {
  private let counter: Counter

  init(_ counter: Counter) { self.counter = counter }

  func increment(by amount: Int64) {
    if amount > 0 { counter.increment(by: UInt64(amount)) }
  }

  func increment(by amount: Double) { counter.add(amount) }

  func reset() { counter.reset() }
}

/// Adapts a gauge to swift-metrics.
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

/// Adapts a histogram to swift-metrics. A negative duration counts as zero: it comes from a clock that was set back.
private final class HistogramAdapter: TimerHandler, RecorderHandler {
  private let histogram: Histogram

  init(_ histogram: Histogram) { self.histogram = histogram }

  func recordNanoseconds(_ duration: Int64) {
    histogram.observe(nanoseconds: UInt64(max(duration, 0)))
  }

  func record(_ value: Int64) { histogram.observe(Double(value)) }

  func record(_ value: Double) { histogram.observe(value) }
}
