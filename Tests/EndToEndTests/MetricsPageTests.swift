import Foundation
import TestSupport
import Testing

@Suite("What is found on the scraped port")
struct MetricsPageTests {
  @Test func `the metrics are what promtool takes for good, at the start and after traffic`() throws {
    let deployment = try Deployment(.dual)
    try check(deployment.sidecar.get("/metrics").text)
    try deployment.secondary.client().command("SET", "k", "v")
    let client = try deployment.client()
    try client.command("GET", "k")
    _ = try client.pipeline([["GET", "k"], ["SET", "n", "1"]])
    try client.command("TIME")
    try check(deployment.sidecar.get("/metrics").text)
  }

  @Test func `counters that can be known beforehand are there with 0`() throws {
    let deployment = try Deployment()
    let metrics = try deployment.sidecar.metrics()
    for kind in ["pipelined", "multi"] {
      #expect(metrics[MultiStoreNames.pipelinedDiff, ["command": kind, "instance_name": "sessions"]] == 0)
    }
    for command in ["get", "mget", "hgetall", "zscore", "sscan", "ttl"] {
      #expect(metrics[MultiStoreNames.readFallback, ["command": command, "instance_name": "sessions"]] == 0)
    }
    for command in ["config", "time", "other"] {
      #expect(metrics[MultiStoreNames.methodMissing, ["command": command, "instance_name": "sessions"]] == 0)
    }
    for store in ["primary", "secondary"] {
      for outcome in ["ok", "error", "unavailable", "lost", "timeout", "queue_full"] {
        let labels = ["instance_name": "sessions", "outcome": outcome, "store": store]
        #expect(metrics["multistore_commands_total", labels] != nil, "\(labels)")
      }
      let bucket = ["instance_name": "sessions", "le": "5e-05", "store": store]
      let plain = ["instance_name": "sessions", "le": "0.00005", "store": store]
      let smallest = "multistore_store_latency_seconds_bucket"
      #expect(metrics[smallest, bucket] != nil || metrics[smallest, plain] != nil)
      #expect(metrics["multistore_store_up", ["instance_name": "sessions", "store": store]] == 1)
      #expect(metrics["multistore_store_in_flight_commands", ["instance_name": "sessions", "store": store]] == 0)
    }
    #expect(metrics["multistore_true_misses_total", ["instance_name": "sessions"]] == 0)
    #expect(metrics.sum("multistore_log_lines_dropped_total") == 0)
    #expect(metrics.text.contains("multistore_log_lines_dropped_total{"))
    #expect(metrics.sum("multistore_build_info") == 1)
    #expect(metrics["process_resident_memory_bytes"] ?? 0 > 0)
    #expect(metrics["process_open_fds"] ?? 0 > 0)
    // The names that dashboards of GitLab's MultiStore know, with their help texts.
    for (name, help) in [
      (MultiStoreNames.readFallback, "Client side Redis MultiStore reading fallback"),
      (MultiStoreNames.pipelinedDiff, "Redis MultiStore pipelined command diff between stores"),
      (MultiStoreNames.methodMissing, "Client side Redis MultiStore method missing"),
    ] {
      #expect(metrics.text.contains("# HELP \(name) \(help)\n# TYPE \(name) counter\n"))
    }
  }

  @Test func `OpenMetrics and gzip come when they are asked for`() throws {
    let deployment = try Deployment()
    // The keys of both stores are the last that become known; after that no series comes or goes.
    for store in ["primary", "secondary"] {
      try eventually("the keys of the \(store) are known") {
        try deployment.metric("multistore_store_keys", ["store": store]) != nil
      }
    }
    let plain = try deployment.sidecar.get("/metrics")
    #expect(plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
    #expect(plain.headers["content-encoding"] == nil)
    let accept = ["Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"]
    let open = try deployment.sidecar.get("/metrics", headers: accept)
    #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text; version=1.0.0") == true)
    #expect(open.text.hasSuffix("# EOF\n"))
    // OpenMetrics names a counter's family without `_total`.
    let family = MultiStoreNames.readFallback.replacing(/_total$/, with: "")
    #expect(open.text.contains("# TYPE \(family) counter\n"))
    let gzipped = try deployment.sidecar.get("/metrics", headers: ["Accept-Encoding": "gzip"])
    #expect(gzipped.headers["content-encoding"] == "gzip")
    #expect(gzipped.body.count < plain.body.count / 4)
    let file = deployment.sidecar.directory.path("body.gz")
    try Data(gzipped.body).write(to: URL(fileURLWithPath: file))
    let text = try ChildProcess.run("gzip", ["-dc", file]).output
    #expect(try MetricsSnapshot(parsing: text).samples.count == MetricsSnapshot(parsing: plain.text).samples.count)
  }

  @Test func `there are a landing page and probes, and other paths are not there`() throws {
    let deployment = try Deployment()
    let landing = try deployment.sidecar.get("/")
    #expect(landing.status == 200 && landing.headers["content-type"]?.hasPrefix("text/html") == true)
    #expect(landing.text.contains("href=\"/metrics\""))
    #expect(try deployment.sidecar.get("/-/healthy").status == 200)
    #expect(try deployment.sidecar.get("/-/ready").status == 200)
    #expect(try deployment.sidecar.get("/nothing").status == 404)
    let post = try HTTPClient.request("POST", "/metrics", of: deployment.sidecar.address(of: "metrics"))
    #expect(post.status == 405)
  }

  @Test func `a scrape does not hold up the data path`() throws {
    let deployment = try Deployment()
    let client = try deployment.client()
    try client.command("SET", "n", "0")
    let scrapes = Threads(2) { _ in
      for _ in 0..<10 { _ = try deployment.sidecar.metrics() }
    }
    for round in 1...500 { #expect(try client.command("INCR", "n") == .integer(round)) }
    try scrapes.join()
  }

  private func check(_ text: String) throws {
    let outcome = try ChildProcess.run("promtool", ["check", "metrics"], input: text)
    #expect(outcome.exit == .status(0), "\(outcome.output)\(outcome.errors)")
    #expect((outcome.output + outcome.errors).isEmpty, "\(outcome.output)\(outcome.errors)")
  }
}
