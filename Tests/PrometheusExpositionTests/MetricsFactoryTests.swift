import CoreMetrics
import PrometheusExposition
import Testing

/// What Swift libraries record through swift-metrics.
@Suite struct MetricsFactoryTests {
  private let registry = PrometheusRegistry(describing: [
    MetricDescriptor(name: "known_total", kind: .counter, help: "Known", labels: ["a", "b"]),
    MetricDescriptor(
      name: "latency_seconds",
      kind: .histogram(buckets: [0.001, 1]),
      help: "Latency",
      labels: ["store"]
    ),
    MetricDescriptor(name: "reply_bytes", kind: .histogram(buckets: [100, 200]), help: "Sizes"),
    MetricDescriptor(name: "depth", kind: .gauge, help: "Depth"),
    MetricDescriptor(name: "duration", kind: .histogram(buckets: [2]), help: "A timer without a unit"),
  ])

  @Test func describedMetricsGetTheirSeries() {
    CoreMetrics.Counter(label: "known_total", dimensions: [("b", "2"), ("a", "1")], factory: registry).increment(by: 2)
    registry.counter("known_total", labels: [("a", "1"), ("b", "2")]).increment()
    let timer = CoreMetrics.Timer(label: "latency_seconds", dimensions: [("store", "primary")], factory: registry)
    timer.recordNanoseconds(1_000_000)
    timer.recordMilliseconds(2)
    timer.recordNanoseconds(-5)
    CoreMetrics.Recorder(label: "reply_bytes", factory: registry).record(150)
    CoreMetrics.Recorder(label: "depth", aggregate: true, factory: registry).record(7)
    CoreMetrics.Timer(label: "duration", factory: registry).recordSeconds(1)
    let samples = registry.samples()
    #expect(samples["known_total{a=\"1\",b=\"2\"}"] == 3)
    #expect(samples["latency_seconds_bucket{store=\"primary\",le=\"0.001\"}"] == 2)
    #expect(samples["latency_seconds_count{store=\"primary\"}"] == 3)
    #expect(samples["latency_seconds_sum{store=\"primary\"}"] == 0.003)
    #expect(samples["reply_bytes_bucket{le=\"100.0\"}"] == 0)
    #expect(samples["reply_bytes_bucket{le=\"200.0\"}"] == 1)
    #expect(samples["depth"] == 7)
    #expect(samples["duration_bucket{le=\"2.0\"}"] == 1)
  }

  @Test func namesOfLibrariesAreMadeLegal() {
    let counter = CoreMetrics.Counter(
      label: "http.requests-größe",
      dimensions: [("status code", "200"), ("le", "x"), ("__y", "y"), ("status.code", "dropped")],
      factory: registry
    )
    counter.increment()
    CoreMetrics.Gauge(label: "9.pool", factory: registry).record(1.5)
    CoreMetrics.Gauge(label: "jobs.total", factory: registry).record(4)
    CoreMetrics.Timer(label: "db.latency", factory: registry).recordMicroseconds(50)
    CoreMetrics.FloatingPointCounter(label: "work", factory: registry).increment(by: 0.5)
    CoreMetrics.Recorder(label: "sizes", factory: registry).record(5)
    let meter = CoreMetrics.Meter(label: "meter", factory: registry)
    meter.set(3)
    meter.increment(by: 2)
    meter.decrement()
    let samples = registry.samples()
    #expect(
      samples["http_requests_gr__e_total{status_code=\"200\",exported_le=\"x\",exported__y=\"y\"}"] == 1,
      "\(registry.text())"
    )
    #expect(samples["_9_pool"] == 1.5)
    #expect(samples["jobs_total_value"] == 4)
    #expect(samples["db_latency_seconds_bucket{le=\"5e-05\"}"] == 1)
    #expect(samples["work_total"] == 0.5)
    #expect(samples["sizes_bucket{le=\"4.0\"}"] == 0)
    #expect(samples["sizes_bucket{le=\"16.0\"}"] == 1)
    #expect(samples["meter"] == 4)
    #expect(registry.descriptors.filter { $0.help.contains("not described by the program") }.count == 7)
  }

  @Test func countersNeverFall() {
    let counter = CoreMetrics.Counter(label: "c", factory: registry)
    counter.increment(by: 5)
    counter.increment(by: -3)
    let fractions = CoreMetrics.FloatingPointCounter(label: "f", factory: registry)
    fractions.increment(by: 1.25)
    fractions.increment(by: -1.0)
    fractions.increment(by: Double.nan)
    #expect(registry.samples()["c_total"] == 5)
    #expect(registry.samples()["f_total"] == 1.25)
    counter.reset()
    #expect(registry.samples()["c_total"] == 0)
  }

  @Test func destroyedMetricsStay() {
    let counter = CoreMetrics.Counter(label: "c", factory: registry)
    counter.increment()
    counter.destroy()
    #expect(registry.samples()["c_total"] == 1)
    CoreMetrics.Counter(label: "c", factory: registry).increment()
    #expect(registry.samples()["c_total"] == 2)
  }

  /// A library that contradicts what is known records into nothing, and does not stop the process.
  @Test func conflictsAreCounted() throws {
    CoreMetrics.Gauge(label: "known_total", factory: registry).record(1)
    CoreMetrics.Timer(label: "depth", factory: registry).recordSeconds(1)
    CoreMetrics.Counter(label: "known_total", dimensions: [("c", "1")], factory: registry).increment()
    CoreMetrics.Counter(label: "depth", factory: registry).increment()
    let samples = registry.samples()
    #expect(samples["known_total_value"] == 1)
    #expect(samples["depth_total"] == nil)
    #expect(samples["multistore_metrics_series_dropped_total{reason=\"conflict\"}"] == 3)
    let result = try run("/usr/bin/promtool", ["check", "metrics"], input: registry.exposition(.text004))
    #expect(result.status == 0, "\(result.output)")
  }
}
