import Dispatch
import PrometheusExposition
import Synchronization
import Testing

@Suite struct RegistryTests {
  private static let table = [
    MetricDescriptor(name: "c_total", kind: .counter, help: "c", labels: ["thread"]),
    MetricDescriptor(name: "g", kind: .gauge, help: "g", labels: ["a", "b"]),
    MetricDescriptor(name: "h_seconds", kind: .histogram(buckets: [0.5]), help: "h"),
    MetricDescriptor(name: "live", kind: .gauge, help: "computed", labels: ["of"]),
    MetricDescriptor(name: "elsewhere_total", kind: .counter, help: "kept elsewhere"),
  ]

  @Test func theSameLabelsAreTheSameSeries() {
    let registry = PrometheusRegistry(describing: Self.table)
    let one = registry.gauge("g", labels: [("a", "1"), ("b", "2")])
    let same = registry.gauge("g", labels: [("b", "2"), ("a", "1")])
    let other = registry.gauge("g", labels: [("a", "2"), ("b", "1")])
    #expect(one === same)
    #expect(one !== other)
    one.set(5)
    one.add(-2.5)
    #expect(registry.samples()["g{a=\"1\",b=\"2\"}"] == 2.5)
  }

  /// However they were added, series are written by their values, and found again.
  @Test func seriesAreInOrder() {
    let registry = PrometheusRegistry(describing: Self.table)
    let values = (0..<200).map { "v\($0)" }
    for value in values.shuffled() { registry.gauge("g", labels: [("a", value), ("b", "")]).set(1) }
    for value in values.shuffled() { registry.gauge("g", labels: [("a", value), ("b", "")]).add(1) }
    let written = registry.text().split(separator: "\n").filter { $0.hasPrefix("g{") }
    #expect(written.map(String.init) == values.sorted().map { "g{a=\"\($0)\",b=\"\"} 2" })
  }

  /// Threads count while others scrape and make series: nothing is lost, and no scrape sees a counter fall.
  @Test func countingFromManyThreads() {
    let registry = PrometheusRegistry(describing: Self.table)
    let rounds = 20_000
    let fell = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 6) { thread in
      if thread < 4 {
        let counter = registry.counter("c_total", labels: [("thread", "shared")])
        let histogram = registry.histogram("h_seconds")
        let gauge = registry.gauge("g", labels: [("a", ""), ("b", "")])
        for round in 0..<rounds {
          counter.increment()
          histogram.observe(nanoseconds: 1)
          histogram.observe(1)
          gauge.add(round.isMultiple(of: 2) ? 1 : -1)
        }
      } else {
        var last = 0.0
        for round in 0..<200 {
          let now = registry.samples()["c_total{thread=\"shared\"}"] ?? 0
          if now < last { fell.add(1, ordering: .relaxed) }
          last = now
          registry.counter("c_total", labels: [("thread", "\(thread)-\(round)")]).increment()
        }
      }
    }
    let samples = registry.samples()
    #expect(fell.load(ordering: .relaxed) == 0)
    #expect(samples["c_total{thread=\"shared\"}"] == Double(4 * rounds))
    #expect(samples["h_seconds_bucket{le=\"0.5\"}"] == Double(4 * rounds))
    #expect(samples["h_seconds_count"] == Double(8 * rounds))
    #expect(samples["h_seconds_sum"] == Double(4 * rounds) + Double(4 * rounds) / 1e9)
    #expect(samples["g{a=\"\",b=\"\"}"] == 0)
    #expect(samples.keys.filter { $0.hasPrefix("c_total") }.count == 401)
  }

  @Test func whatIsOverTheLimitIsGathered() {
    let registry = PrometheusRegistry(describing: Self.table, maxSeriesPerMetric: 3)
    for thread in 1...5 {
      registry.counter("c_total", labels: [("thread", "\(thread)")]).increment()
    }
    registry.counter("c_total", labels: [("thread", "1")]).increment()
    let samples = registry.samples()
    #expect(samples["c_total{thread=\"1\"}"] == 2)
    #expect(samples["c_total{thread=\"3\"}"] == 1)
    #expect(samples["c_total{thread=\"4\"}"] == nil)
    #expect(samples["c_total{thread=\"other\"}"] == 2)
    #expect(samples["multistore_metrics_series_dropped_total{reason=\"limit\"}"] == 2)
  }

  @Test func collectorsComputeAtEachScrape() {
    let registry = PrometheusRegistry(describing: Self.table)
    let scrapes = Atomic<Int>(0)
    registry.collect { writer in
      let count = scrapes.add(1, ordering: .relaxed).newValue
      writer.counter("elsewhere_total", Double(count))
      writer.gauge("live", labels: [("of", "first")], 1)
      writer.gauge("live", labels: [("of", "second")], 2)
    }
    registry.collect { writer in
      writer.gauge("live", labels: [("of", "second")], 3)
    }
    #expect(registry.samples()["elsewhere_total"] == 1)
    let samples = registry.samples()
    #expect(samples["elsewhere_total"] == 2)
    #expect(samples["live{of=\"first\"}"] == 1)
    #expect(samples["live{of=\"second\"}"] == 3)
  }

  /// A collector's mistake costs its value and is counted; what it wrote for one scrape is gone in the next.
  @Test func collectorsMistakesAreCounted() {
    let registry = PrometheusRegistry(describing: Self.table, maxSeriesPerMetric: 1)
    let calls = Atomic<Int>(0)
    registry.collect { writer in
      guard calls.add(1, ordering: .relaxed).oldValue == 0 else { return }
      writer.gauge("unheard_of", 1)
      writer.gauge("elsewhere_total", 1)
      writer.gauge("live", labels: [("from", "x")], 1)
      writer.gauge("live", labels: [("of", "x")], 1)
      writer.gauge("live", labels: [("of", "y")], 1)
    }
    let samples = registry.samples()
    #expect(samples["live{of=\"x\"}"] == 1)
    #expect(samples["live{of=\"other\"}"] == 1)
    #expect(samples["multistore_metrics_series_dropped_total{reason=\"conflict\"}"] == 3)
    #expect(samples["multistore_metrics_series_dropped_total{reason=\"limit\"}"] == 1)
    #expect(registry.samples()["live{of=\"x\"}"] == nil)
  }

  @Test func anUndescribedHandleStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = PrometheusRegistry().counter("unheard_of_total")
    }
  }

  @Test func anotherKindStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let registry = PrometheusRegistry(describing: [MetricDescriptor(name: "g", kind: .gauge, help: "g")])
      _ = registry.histogram("g")
    }
  }

  @Test func otherLabelsStopTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let registry = PrometheusRegistry(describing: [
        MetricDescriptor(name: "g", kind: .gauge, help: "g", labels: ["a"])
      ])
      _ = registry.gauge("g", labels: [("b", "1")])
    }
  }
}
