import PrometheusExposition
import Testing

@Suite struct ExpositionTests {
  /// Something of every kind, with values in need of escaping.
  private func registry() -> PrometheusRegistry {
    let registry = PrometheusRegistry(describing: [
      MetricDescriptor(
        name: "store_latency_seconds",
        kind: .histogram(buckets: [0.00005, 0.001, 1, 2.5e6]),
        help: "Time until a store's reply",
        labels: ["store"]
      ),
      MetricDescriptor(name: "plain_total", kind: .counter, help: "No labels"),
      MetricDescriptor(
        name: "commands_total",
        kind: .counter,
        help: "A \\ and \"quotes\"\nand a second line",
        labels: ["command", "instance_name"]
      ),
      MetricDescriptor(name: "temperature", kind: .gauge, help: "A gauge", labels: ["at"]),
      MetricDescriptor(name: "never_used_total", kind: .counter, help: "Described, but without series"),
    ])
    registry.counter("commands_total", labels: [("instance_name", "sessions"), ("command", "set")]).increment(by: 3)
    registry.counter("commands_total", labels: [("command", "get"), ("instance_name", "b")]).increment()
    _ = registry.counter("commands_total", labels: [("command", "get"), ("instance_name", "a\\\"\nä")])
    registry.counter("plain_total").increment(by: .max)
    registry.gauge("temperature", labels: [("at", "1")]).set(-1.5)
    registry.gauge("temperature", labels: [("at", "2")]).set(20_000_000)
    registry.gauge("temperature", labels: [("at", "3")]).set(.nan)
    registry.gauge("temperature", labels: [("at", "4")]).set(-.infinity)
    registry.gauge("temperature", labels: [("at", "5")]).set(0x1p60)
    let latency = registry.histogram("store_latency_seconds", labels: [("store", "primary")])
    latency.observe(nanoseconds: 50_000)
    latency.observe(nanoseconds: 50_001)
    latency.observe(0.5)
    latency.observe(1e9)
    return registry
  }

  @Test func textFormat() {
    #expect(
      registry().text(.text004)
        == #"""
        # HELP commands_total A \\ and "quotes"\nand a second line
        # TYPE commands_total counter
        commands_total{command="get",instance_name="a\\\"\nä"} 0
        commands_total{command="get",instance_name="b"} 1
        commands_total{command="set",instance_name="sessions"} 3
        # HELP multistore_metrics_series_dropped_total Time series refused: over a limit, or conflicting with another
        # TYPE multistore_metrics_series_dropped_total counter
        multistore_metrics_series_dropped_total{reason="conflict"} 0
        multistore_metrics_series_dropped_total{reason="limit"} 0
        # HELP plain_total No labels
        # TYPE plain_total counter
        plain_total 18446744073709551615
        # HELP store_latency_seconds Time until a store's reply
        # TYPE store_latency_seconds histogram
        store_latency_seconds_bucket{store="primary",le="5e-05"} 1
        store_latency_seconds_bucket{store="primary",le="0.001"} 2
        store_latency_seconds_bucket{store="primary",le="1.0"} 3
        store_latency_seconds_bucket{store="primary",le="2.5e+06"} 3
        store_latency_seconds_bucket{store="primary",le="+Inf"} 4
        store_latency_seconds_sum{store="primary"} 1000000000.500100001
        store_latency_seconds_count{store="primary"} 4
        # HELP temperature A gauge
        # TYPE temperature gauge
        temperature{at="1"} -1.5
        temperature{at="2"} 20000000
        temperature{at="3"} NaN
        temperature{at="4"} -Inf
        temperature{at="5"} 1.152921504606847e+18

        """#.replacing("1000000000.500100001", with: "\(1e9 + 0.5 + 0.000100001)")
    )
  }

  @Test func openMetrics() {
    #expect(
      registry().text(.openMetrics100)
        == #"""
        # TYPE commands counter
        # HELP commands A \\ and \"quotes\"\nand a second line
        commands_total{command="get",instance_name="a\\\"\nä"} 0
        commands_total{command="get",instance_name="b"} 1
        commands_total{command="set",instance_name="sessions"} 3
        # TYPE multistore_metrics_series_dropped counter
        # HELP multistore_metrics_series_dropped Time series refused: over a limit, or conflicting with another
        multistore_metrics_series_dropped_total{reason="conflict"} 0
        multistore_metrics_series_dropped_total{reason="limit"} 0
        # TYPE plain counter
        # HELP plain No labels
        plain_total 18446744073709551615
        # TYPE store_latency_seconds histogram
        # HELP store_latency_seconds Time until a store's reply
        store_latency_seconds_bucket{store="primary",le="5e-05"} 1
        store_latency_seconds_bucket{store="primary",le="0.001"} 2
        store_latency_seconds_bucket{store="primary",le="1.0"} 3
        store_latency_seconds_bucket{store="primary",le="2.5e+06"} 3
        store_latency_seconds_bucket{store="primary",le="+Inf"} 4
        store_latency_seconds_sum{store="primary"} 1000000000.500100001
        store_latency_seconds_count{store="primary"} 4
        # TYPE temperature gauge
        # HELP temperature A gauge
        temperature{at="1"} -1.5
        temperature{at="2"} 20000000.0
        temperature{at="3"} NaN
        temperature{at="4"} -Inf
        temperature{at="5"} 1.152921504606847e+18
        # EOF

        """#.replacing("1000000000.500100001", with: "\(1e9 + 0.5 + 0.000100001)")
    )
  }

  @Test func promtoolFindsNothingWrong() throws {
    let registry = registry()
    ProcessCollector.register(in: registry)
    let page = registry.exposition(.text004)
    #expect(page.count > 1000)
    let result = try run("/usr/bin/promtool", ["check", "metrics"], input: page)
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output == "")
  }

  /// The linter is only worth something if it does complain.
  @Test func promtoolWouldComplain() throws {
    let result = try run("/usr/bin/promtool", ["check", "metrics"], input: Array("commands_total{a=\"1\" 1\n".utf8))
    #expect(result.status != 0)
  }

  /// The examples of OpenMetrics 1.0.0, "Canonical Numbers".
  @Test(arguments: [
    (0.0, "0.0"), (0.001, "0.001"), (0.01, "0.01"), (0.123, "0.123"), (1, "1.0"), (9.999, "9.999"), (10, "10.0"),
    (1e-10, "1e-10"), (1e-09, "1e-09"), (1e-05, "1e-05"), (0.0001, "0.0001"), (100000, "100000.0"), (1e6, "1e+06"),
    (1e10, "1e+10"), (1_048_576, "1.048576e+06"), (-2_000_000, "-2e+06"), (1e22, "1e+22"), (262144, "262144.0"),
  ])
  func boundsAreCanonical(bound: Double, expected: String) {
    let registry = PrometheusRegistry(describing: [
      MetricDescriptor(name: "h", kind: .histogram(buckets: [bound]), help: "h")
    ])
    registry.histogram("h").observe(bound)
    #expect(registry.text().contains("h_bucket{le=\"\(expected)\"} 1\n"), "\(registry.text())")
  }
}
