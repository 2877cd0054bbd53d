import PrometheusExposition
import Testing

@Suite struct MetricDescriptorTests {
  @Test(arguments: [
    MetricDescriptor(name: "commands_total", kind: .counter, help: "Commands", labels: ["command", "instance_name"]),
    MetricDescriptor(name: "store_up", kind: .gauge, help: "Whether it answers", labels: ["store"]),
    MetricDescriptor(name: "_x9", kind: .gauge, help: "An odd name"),
    MetricDescriptor(name: "latency_seconds", kind: .histogram(buckets: Histogram.durationBuckets), help: "Latency"),
  ])
  func nothingIsWrong(descriptor: MetricDescriptor) {
    #expect(descriptor.mistake == nil)
  }

  @Test(arguments: [
    (MetricDescriptor(name: "9lives", kind: .gauge, help: "h"), "not a metric name"),
    (MetricDescriptor(name: "", kind: .gauge, help: "h"), "not a metric name"),
    (MetricDescriptor(name: "a:b", kind: .gauge, help: "h"), "not a metric name"),
    (MetricDescriptor(name: "größe", kind: .gauge, help: "h"), "not a metric name"),
    (MetricDescriptor(name: "commands", kind: .counter, help: "h"), "does not end in _total"),
    (MetricDescriptor(name: "jobs_total", kind: .gauge, help: "h"), "ends in _total"),
    (MetricDescriptor(name: "jobs_count", kind: .gauge, help: "h"), "ends in _count"),
    (MetricDescriptor(name: "a_bucket", kind: .histogram(buckets: [1]), help: "h"), "ends in _bucket"),
    (MetricDescriptor(name: "a", kind: .gauge, help: ""), "no help text"),
    (MetricDescriptor(name: "a", kind: .gauge, help: "h", labels: ["b-c"]), "label \"b-c\""),
    (MetricDescriptor(name: "a", kind: .gauge, help: "h", labels: ["__b"]), "label \"__b\""),
    (MetricDescriptor(name: "a", kind: .gauge, help: "h", labels: ["le"]), "label \"le\""),
    (MetricDescriptor(name: "a", kind: .gauge, help: "h", labels: ["b", "c", "b"]), "label b twice"),
    (MetricDescriptor(name: "a", kind: .histogram(buckets: []), help: "h"), "0 buckets"),
    (MetricDescriptor(name: "a", kind: .histogram(buckets: (0...32).map(Double.init)), help: "h"), "33 buckets"),
    (MetricDescriptor(name: "a", kind: .histogram(buckets: [1, 1]), help: "h"), "do not increase"),
    (MetricDescriptor(name: "a", kind: .histogram(buckets: [1, .infinity]), help: "h"), "not finite"),
  ])
  func somethingIsWrong(descriptor: MetricDescriptor, expected: String) {
    #expect(descriptor.mistake?.contains(expected) == true, "\(descriptor.mistake ?? "nothing found")")
  }

  @Test func descriptorsAreListedByName() {
    let registry = PrometheusRegistry(describing: [
      MetricDescriptor(name: "zeta", kind: .gauge, help: "Last"),
      MetricDescriptor(name: "alpha", kind: .gauge, help: "First"),
    ])
    #expect(registry.descriptors.map(\.name) == ["alpha", "multistore_metrics_series_dropped_total", "zeta"])
  }

  @Test func aMistakeStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      _ = PrometheusRegistry(describing: [MetricDescriptor(name: "commands", kind: .counter, help: "h")])
    }
  }

  @Test func anotherDescriptionStopsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      let registry = PrometheusRegistry(describing: [MetricDescriptor(name: "a", kind: .gauge, help: "One")])
      registry.describe([MetricDescriptor(name: "a", kind: .gauge, help: "Another")])
    }
  }

  @Test func aFamilyNameIsTakenOnce() async {
    await #expect(processExitsWith: .failure) {
      // In OpenMetrics both families would be called `a`.
      _ = PrometheusRegistry(describing: [
        MetricDescriptor(name: "a", kind: .gauge, help: "h"),
        MetricDescriptor(name: "a_total", kind: .counter, help: "h"),
      ])
    }
  }

  @Test func theSameDescriptionTwiceIsOne() {
    let descriptor = MetricDescriptor(name: "a", kind: .gauge, help: "One")
    let registry = PrometheusRegistry(describing: [descriptor])
    registry.describe([descriptor])
    #expect(registry.descriptors.filter { $0.name == "a" }.count == 1)
  }
}
