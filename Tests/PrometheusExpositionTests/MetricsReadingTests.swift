import PrometheusExposition
import Testing

@Suite("Reading one's own metrics")
struct MetricsReadingTests {
  private let registry = PrometheusRegistry(describing: [
    MetricDescriptor(name: "c_total", kind: .counter, help: "c", labels: ["command", "instance"]),
    MetricDescriptor(name: "g", kind: .gauge, help: "g"),
    MetricDescriptor(name: "h_seconds", kind: .histogram(buckets: [0.5, 1]), help: "h", labels: ["instance"]),
    MetricDescriptor(name: "live", kind: .gauge, help: "computed", labels: ["of"]),
  ])

  init() {
    registry.counter("c_total", labels: [("command", "get"), ("instance", "a")]).increment(by: 3)
    registry.counter("c_total", labels: [("command", "set"), ("instance", "a")]).increment(by: 4)
    registry.counter("c_total", labels: [("command", "get"), ("instance", "b")]).increment(by: 50)
    registry.gauge("g").set(-1.5)
    registry.histogram("h_seconds", labels: [("instance", "a")]).observe(0.25)
    registry.histogram("h_seconds", labels: [("instance", "a")]).observe(2)
    registry.collect { $0.gauge("live", labels: [("of", "x")], 7) }
  }

  @Test func `one series is found by all of its labels, in any order`() {
    let reading = registry.reading()
    #expect(reading.value("c_total", [("instance", "a"), ("command", "get")]) == 3)
    #expect(reading.value("g") == -1.5)
    #expect(reading.value("live", [("of", "x")]) == 7)
    #expect(reading.value("c_total", [("instance", "a")]) == nil)
    #expect(reading.value("c_total", [("instance", "a"), ("command", "del")]) == nil)
    #expect(reading.value("nothing") == nil)
    #expect(reading.value("h_seconds", [("instance", "a")]) == nil)
  }

  @Test func `a sum is of the series that have the labels`() {
    let reading = registry.reading()
    #expect(reading.sum("c_total", where: [("instance", "a")]) == 7)
    #expect(reading.sum("c_total", where: [("command", "get")]) == 53)
    #expect(reading.sum("c_total") == 57)
    #expect(reading.sum("c_total", where: [("instance", "c")]) == 0)
    #expect(reading.sum("c_total", where: [("store", "a")]) == 0)
    #expect(reading.sum("nothing") == 0)
  }

  @Test func `a histogram has a count and a sum`() throws {
    let reading = registry.reading()
    let histogram = try #require(reading.histogram("h_seconds", [("instance", "a")]))
    #expect(histogram.count == 2 && histogram.sum == 2.25)
    #expect(reading.histogram("h_seconds", [("instance", "b")]) == nil)
    #expect(reading.histogram("g") == nil)
  }

  @Test func `it says what a scrape says`() {
    for (sample, value) in registry.samples() where sample.hasPrefix("c_total") {
      let labels = sample.matches(of: /(\w+)="(\w+)"/).map { (String($0.1), String($0.2)) }
      #expect(registry.reading().value("c_total", labels) == value)
    }
  }
}
