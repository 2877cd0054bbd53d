import PrometheusExposition
import Testing

@Suite struct HistogramTests {
  private let registry = PrometheusRegistry(describing: [
    MetricDescriptor(name: "h", kind: .histogram(buckets: [0.001, 0.002, 1]), help: "h")
  ])

  private func buckets() -> [Double?] {
    let samples = registry.samples()
    return ["0.001", "0.002", "1.0", "+Inf"].map { samples["h_bucket{le=\"\($0)\"}"] }
  }

  @Test func boundsAreInclusive() {
    let histogram = registry.histogram("h")
    histogram.observe(0.001)
    histogram.observe(0.001.nextUp)
    histogram.observe(1)
    histogram.observe(1.0.nextUp)
    histogram.observe(-5)
    #expect(buckets() == [2, 3, 4, 5])
    #expect(registry.samples()["h_count"] == 5)
  }

  @Test func boundsAreInclusiveInNanoseconds() {
    let histogram = registry.histogram("h")
    for nanoseconds: UInt64 in [0, 1_000_000, 1_000_001, 2_000_000, 2_000_001, 1_000_000_000, 1_000_000_001] {
      histogram.observe(nanoseconds: nanoseconds)
    }
    #expect(buckets() == [2, 4, 6, 7])
    #expect(registry.samples()["h_sum"] == 2.006000003)
  }

  @Test func whatIsNoNumberIsLeftOut() {
    let histogram = registry.histogram("h")
    histogram.observe(.nan)
    histogram.observe(.infinity)
    histogram.observe(-.infinity)
    #expect(registry.samples()["h_count"] == 0)
    #expect(registry.samples()["h_sum"] == 0)
  }

  @Test func theSumOutgrowsSixtyFourBitsOfNanoseconds() throws {
    let histogram = registry.histogram("h")
    for _ in 0..<3 { histogram.observe(nanoseconds: .max) }
    let sum = try #require(registry.samples()["h_sum"])
    #expect(abs(sum - 3 * 0x1p64 / 1e9) < 1e-3)
  }

  @Test func theDefaultBucketsAreThoseOfTheDataPath() {
    #expect(Histogram.durationBuckets.first == 0.00005)
    #expect(Histogram.durationBuckets.last == 10)
    #expect(Histogram.durationBuckets == Histogram.durationBuckets.sorted())
  }
}
