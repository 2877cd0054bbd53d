import TestSupport
import Testing

@Suite("What is in force, on the scraped port")
struct EffectiveStateTests {
  private static let routing = "multistore_effective_routing"
  private static let since = "multistore_effective_since_timestamp_seconds"

  @Test(arguments: ["fallback", "default_store"])
  func `the one series of the state in force is there, and since when`(policy: String) throws {
    let deployment = try Deployment(instance: ["read_policy: \(policy)"])
    var since = 0.0
    for (number, state) in MigrationState.allCases.enumerated() {
      try deployment.move(to: state)
      let own = state.primaryIsDefault ? "primary" : "secondary"
      let labels = [
        "instance_name": "sessions", "replies": own, "writes": state.isDual ? "both" : own,
        "reads": state.isDual && policy == "fallback" ? "primary_then_secondary" : own,
      ]
      try deployment.waitForMetric("multistore_effective_state", [:], Double(number))
      let metrics = try deployment.sidecar.metrics()
      #expect(metrics[Self.routing, labels] == 1, "\(state)")
      #expect(metrics.samples.keys.count { $0.hasPrefix(Self.routing) } == 1, "\(state)")
      let now = try #require(metrics[Self.since, ["instance_name": "sessions"]])
      #expect(now > since && now > 1_700_000_000, "\(state)")
      since = now
      // Nothing moves where nothing changes.
      try deployment.move(to: state)
      #expect(try deployment.client().command("SET", "k", "v") == .ok)
      #expect(try deployment.metric(Self.since) == since)
    }
  }

  @Test func `flags that count as off because both stores are one show the state of the old store`() throws {
    let server = try RedisServer()
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dualPrimary), to: "flags.yml")
    let configuration = Deployment.configuration(in: directory, primary: server.url, secondary: server.url)
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    let label = ["instance_name": "sessions"]
    try eventually { try sidecar.metrics()["multistore_same_store", label] == 1 }
    try eventually { try sidecar.metrics()["multistore_effective_state", label] == 0 }
    let metrics = try sidecar.metrics()
    let single = ["reads": "secondary", "writes": "secondary", "replies": "secondary"].merging(label) { $1 }
    #expect(metrics[Self.routing, single] == 1)
    #expect(metrics.sum("multistore_feature_flag") == 2, "they are on all the same")
  }

  @Test func `an instance without a primary shows its one store, whatever its flags say`() throws {
    let secondary = try RedisServer()
    let directory = try TemporaryDirectory()
    try directory.write(Deployment.flags(.dualPrimary), to: "flags.yml")
    let configuration = Deployment.configuration(in: directory, primary: nil, secondary: secondary.url)
    let sidecar = try SidecarProcess(configuration: configuration, in: directory)
    let metrics = try sidecar.metrics()
    #expect(metrics["multistore_effective_state", ["instance_name": "sessions"]] == 0)
    #expect(metrics.sum(Self.routing, ["reads": "secondary", "writes": "secondary", "replies": "secondary"]) == 1)
    #expect(metrics.sum("multistore_differing_replies_total") == 0)
    #expect(!metrics.text.contains("multistore_differing_replies_total{"), "there is nothing to differ from")
  }

  @Test func `it is shown where each flag's value came from, and when the file was read last`() throws {
    let deployment = try Deployment(.off, flagFile: true)
    let directory = deployment.sidecar.directory
    let flags = ["dual": "use_primary_and_secondary_stores", "default": "use_primary_store_as_default"]
    func waitForSources(_ dual: String, _ primary: String) throws {
      for (flag, source) in [("dual", dual), ("default", primary)] {
        let labels = ["flag": try #require(flags[flag]), "source": source]
        try deployment.waitForMetric("multistore_feature_flag_source", labels, 1)
      }
      let metrics = try deployment.sidecar.metrics()
      #expect(metrics.samples.keys.count { $0.hasPrefix("multistore_feature_flag_source") } == 2)
    }
    let reload = "multistore_feature_flag_last_reload_timestamp_seconds"
    try waitForSources("file", "file")
    let first = try #require(try deployment.sidecar.metrics()[reload])
    #expect(first > 1_700_000_000)
    try deployment.sidecar.setFlag(Deployment.dualFlag, true)
    try waitForSources("admin_api", "file")
    #expect(try deployment.sidecar.metrics()[reload] == first, "our own writing is no news")
    try directory.write("\(Deployment.defaultFlag): true\n", to: "flags.yml")
    try waitForSources("default", "file")
    #expect(try deployment.sidecar.metrics()[reload] ?? 0 > first)
  }

  @Test func `a sidecar without a flag file has only defaults and its API`() throws {
    let deployment = try Deployment(.dual)
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics["multistore_feature_flag_last_reload_timestamp_seconds"] == 0)
    #expect(metrics.sum("multistore_feature_flag_source", ["source": "admin_api"]) == 1)
    #expect(metrics.sum("multistore_feature_flag_source", ["source": "default"]) == 1)
  }

  @Test func `what connections may be used up stands beside what is`() throws {
    let deployment = try Deployment(instance: ["max_clients: 7", "max_dedicated_connections: 3"])
    let dedicated = "multistore_store_dedicated_connections"
    #expect(try deployment.metric("multistore_client_connections_limit") == 7)
    for store in ["primary", "secondary"] {
      try deployment.waitForMetric("\(dedicated)_limit", ["store": store], 3)
      #expect(try deployment.metric(dedicated, ["store": store]) == 0)
    }
    let client = try deployment.client()
    try client.send(RESPClient.encode(["BLPOP", "list", "0"]))
    try deployment.waitForMetric(dedicated, ["store": "secondary"], 1)
    #expect(try deployment.metric("multistore_client_connections") == 1)
    try deployment.client().command("RPUSH", "list", "v")
    #expect(try client.readReply() == .array([.text("list"), .text("v")]))
  }

  @Test func `replies that differ are counted by their command`() throws {
    let deployment = try Deployment(.dual)
    let name = "multistore_differing_replies_total"
    #expect(try deployment.metric(name, ["command": "hgetall", "kind": "mismatch"]) == 0)
    try deployment.secondary.client().command("MSET", "a", "1", "b", "2")
    let client = try deployment.client()
    _ = try client.pipeline([["GET", "a"], ["GET", "b"], ["STRLEN", "none"], ["SET", "n", "1"]])
    try deployment.waitForMetric(name, ["command": "get", "kind": "gap"], 2)
    _ = try client.pipeline([["MULTI"], ["STRLEN", "a"], ["EXEC"]])
    try deployment.waitForMetric(name, ["command": "strlen", "kind": "gap"], 1)
    #expect(try deployment.metric(name, ["command": "get", "kind": "gap"]) == 2)
    #expect(try deployment.metric(name, ["command": "set", "kind": "mismatch"]) == 0)
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 2)
  }

  @Test func `many instances have all their series`() throws {
    let stores = (primary: try RedisServer(), secondary: try RedisServer())
    let directory = try TemporaryDirectory()
    let names = (1...30).map { "i\($0)" }
    let instances = names.map { name in
      """
        - name: \(name)
          listen: "unix:\(directory.path("\(name).sock"))"
          primary: { url: "\(stores.primary.url)" }
          secondary: { url: "\(stores.secondary.url)" }
      """
    }
    let configuration = "instances:\n" + instances.joined(separator: "\n") + "\n"
    let metrics = try SidecarProcess(configuration: configuration, in: directory).metrics()
    #expect(metrics.sum("multistore_metrics_series_dropped_total") == 0)
    for metric in ["multistore_differing_replies_total", "multistore_effective_routing", MultiStoreNames.readFallback] {
      let counts = names.map { name in
        metrics.samples.keys.count { $0.hasPrefix(metric) && $0.contains("instance_name=\"\(name)\"") }
      }
      #expect(counts[0] > 0 && Set(counts).count == 1, "\(metric)")
    }
  }
}
