import TestSupport
import Testing

@Suite("Status of a running sidecar")
struct StatusTests {
  /// What each state is called and leads to.
  private static func expected(_ state: MigrationState) -> (title: String, routing: [String], step: String) {
    switch state {
    case .off: ("Old store only", ["secondary", "secondary", "secondary"], "dual_write_on")
    case .dual:
      ("Dual writes, the old store is the default", ["primary_then_secondary", "both", "secondary"], "default_on")
    case .dualPrimary:
      ("Dual writes, the new store is the default", ["primary_then_secondary", "both", "primary"], "dual_write_off")
    case .primaryOnly: ("New store only", ["primary", "primary", "primary"], "remove_old_store")
    }
  }

  @Test(arguments: MigrationState.allCases)
  func `every state is told at both listeners, on the page and in the terminal`(_ state: MigrationState) throws {
    let deployment = try Deployment(state)
    try eventually("the flags are in force") {
      try deployment.status()["state"]?["state"]?.number == Double(MigrationState.allCases.firstIndex(of: state)!)
    }
    let (title, routing, step) = Self.expected(state)
    let admin = try JSONValue(parsing: deployment.sidecar.admin("GET", "/api/v4/status?instance=sessions").text)
    let told = try SidecarProcess.run(["status", "--format", "json", deployment.adminOption])
    for report in [try deployment.report(), admin, try JSONValue(parsing: told.output)] {
      let instance = try #require(report["instances"]?.elements?.first)
      #expect(instance["name"] == .string("sessions"))
      let present = try #require(instance["state"])
      #expect(present["title"]?.string == title)
      #expect(["reads", "writes", "replies"].map { present[$0]?.string } == routing)
      #expect(instance["next_step"]?["step"]?.string == step)
      // A sidecar that has just been started has not watched anything for long.
      #expect(instance["next_step"]?["safe"]?.string != "yes")
      let stores = try #require(instance["stores"]?.elements)
      #expect(stores.map { $0["store"]?.string } == ["secondary", "primary"])
      #expect(stores.map { $0["default"]?.bool } == [!state.primaryIsDefault, state.primaryIsDefault])
      #expect(
        stores.map { $0["address"]?.string }
          == [deployment.secondary, deployment.primary].map { "unix:\($0.socketPath)" }
      )
      #expect(stores.allSatisfy { $0["up"] == .bool(true) && $0["server_version"]?.string?.isEmpty == false })
      let flags = try #require(instance["feature_flags"]?.elements)
      #expect(flags.map { $0["on"]?.bool } == [state.isDual, state.primaryIsDefault])
    }
    let table = try SidecarProcess.run(["status", deployment.adminOption])
    #expect(table.exit == .status(0) && table.output.hasPrefix("sessions: \(title), for "))
    #expect(table.output.contains("\n  unknown  Stores up "))
    let page = try deployment.sidecar.get("/status")
    #expect(page.status == 200 && page.text.contains(">\(title)</h3>"))
    #expect(try deployment.sidecar.get("/").text.contains("<a href=\"/status\">Status</a>"))
  }

  @Test func `the page counts what the metrics count, and the judge sees it at once`() throws {
    let deployment = try Deployment(.dual)
    let old = try deployment.secondary.client()
    for key in 0..<5 { try old.command("SET", "old\(key)", "v") }
    let client = try deployment.client()
    func makeTraffic() throws {
      for key in 0..<5 { try client.command("GET", "old\(key)") }
      for key in 0..<5 { try client.command("GET", "none\(key)") }
      _ = try client.pipeline([["GET", "old0"], ["SET", "n", "1"]])
      try client.command("TIME")
    }
    func isSeen() throws -> Bool {
      for criterion in ["method_missing", "fallback_ratio"] {
        guard try deployment.criterion(criterion)?["result"]?.string == "not_met" else { return false }
      }
      return try deployment.status()["next_step"]?["safe"]?.string == "not_yet"
    }
    try makeTraffic()
    // The state's beginning is noticed within a quarter of a second, and what was counted before belongs to the state
    // before. It happens once: what comes after a round in which it may have happened is seen at once.
    var rounds = 1.0
    if try !isSeen() {
      rounds += 1
      try makeTraffic()
      #expect(try isSeen())
    }
    let metrics = try deployment.sidecar.metrics()
    let counters = [
      "primary_reads": "multistore_primary_reads_total", "fallback_reads": MultiStoreNames.readFallback,
      "true_misses": "multistore_true_misses_total", "methods_missing": MultiStoreNames.methodMissing,
      "compared_pipelines": "multistore_pipelines_compared_total",
      "differing_pipelines": MultiStoreNames.pipelinedDiff,
    ]
    for (field, counter) in counters {
      #expect(try deployment.history(field) == metrics.sum(counter, ["instance_name": "sessions"]), "\(field)")
    }
    #expect(metrics.sum(MultiStoreNames.readFallback) >= 5 * rounds)
    #expect(metrics.sum("multistore_true_misses_total") == 5 * rounds)
    #expect(metrics.sum(MultiStoreNames.methodMissing) == rounds)
    // The inventory follows within a quarter of a second.
    try eventually("the hazard shows") {
      try deployment.status()["hazards"]?.elements?.first?["commands"] == .array([.string("time")])
    }
  }

  @Test func `what the judge says is in the metrics, by the names of its criteria`() throws {
    let deployment = try Deployment()
    let ready = "multistore_next_step_ready"
    let met = "multistore_next_step_criterion_met"
    #expect(try deployment.metric(ready) == 0)
    // Not known yet, or looked at already: with a key in the new store it is not met either way.
    try deployment.primary.client().command("SET", "a", "1")
    try deployment.waitForMetric(met, ["criterion": "new_store_empty"], 0)
    try deployment.primary.client().command("DEL", "a")
    #expect(try deployment.metric(met, ["criterion": "method_missing"]) == 0)
    #expect(try deployment.metric(met, ["criterion": "soak"]) == nil)
    // The stores' keys are looked at every quarter of a minute, and the judge every five seconds.
    try eventually("the new store is seen empty", within: .seconds(90)) {
      try deployment.metric(met, ["criterion": "new_store_empty"]) == 1
    }
    try deployment.waitForMetric(met, ["criterion": "different_servers"], 1)
    #expect(try deployment.criterion("new_store_empty")?["measured"]?.string == "0 keys")
    try deployment.move(to: .dualPrimary)
    try deployment.waitForMetric(met, ["criterion": "soak"], 0)
    #expect(try deployment.metric(met, ["criterion": "new_store_empty"]) == nil)
    #expect(try deployment.metric(ready) == 0)
  }

  @Test func `a store that is down is told with the reason, and that it was comes after`() throws {
    let deployment = try Deployment(.dual)
    try eventually("both are in use") { try deployment.criterion("copy_failures") != nil }
    deployment.primary.kill()
    // The connection that was lost may have been made only now: then it takes a moment to be tried again.
    try eventually("it is down") {
      let now = try deployment.criterion("stores_up")
      return now?["result"]?.string == "not_met"
        && now?["measured"]?.string?.hasPrefix("the new store is down: ") == true
    }
    #expect(try deployment.store("primary")["up"] == .bool(false))
    #expect(try deployment.sidecar.get("/status").text.contains("class=\"store down\""))
    try deployment.primary.restart()
    try eventually("it is up again") { try deployment.store("primary")["up"] == .bool(true) }
    let after = try #require(try deployment.criterion("stores_up"))
    #expect(after["result"]?.string == "not_met", "\(after)")
    #expect(after["measured"]?.string?.hasPrefix("both are up; ") == true, "\(after)")
    #expect(try deployment.store("primary")["lost_connections"]?.number ?? 0 >= 1)
  }

  @Test func `an instance with one store has no next step, and one server twice is no migration`() throws {
    let store = try RedisServer()
    let directory = try TemporaryDirectory()
    let alone = try SidecarProcess(
      configuration: Deployment.configuration(in: directory, primary: nil, secondary: store.url, flagFile: false),
      in: directory
    )
    let report = try JSONValue(parsing: alone.get("/api/v4/status").text)
    let instance = try #require(report["instances"]?.elements?.first)
    #expect(instance["state"]?["pass_through"] == .bool(true) && instance["next_step"] == .null)
    #expect(instance["stores"]?.elements?.count == 1)
    #expect(try alone.get("/status").text.contains("a migration begins with a primary store"))
    #expect(try alone.metrics().sum("multistore_next_step_ready") == 0)
    #expect(try !alone.metrics().text.contains("multistore_next_step_ready{"))

    let other = try TemporaryDirectory()
    let twice = try SidecarProcess(
      configuration: Deployment.configuration(in: other, primary: store.url, secondary: store.url, flagFile: false),
      in: other
    )
    try eventually("both were asked who they are") {
      let report = try JSONValue(parsing: twice.get("/api/v4/status").text)["instances"]?.elements?.first
      return report?["state"]?["same_store"] == .bool(true)
        && report?["next_step"]?["criteria"]?.elements?.first?["result"] == .string("not_met")
    }
    #expect(try twice.get("/status").text.contains("Old store only: both stores are one server"))
  }

  @Test func `the command line says what is wrong with a question`() throws {
    let directory = try TemporaryDirectory()
    let token = try directory.write("s3cret-token\n", to: "token")
    let deployment = try Deployment(top: ["admin: { token_file: \"\(token)\" }"])
    let admin = deployment.adminOption
    #expect(try deployment.sidecar.admin("GET", "/api/v4/status").status == 401)
    #expect(try SidecarProcess.run(["status", admin]).exit == .status(1))
    let withToken = [admin, "--admin.token-file=\(token)"]
    #expect(try SidecarProcess.run(["status", "--instance", "sessions"] + withToken).exit == .status(0))
    let unknown = try SidecarProcess.run(["status", "--instance", "nobody"] + withToken)
    #expect(unknown.exit == .status(1) && unknown.errors.contains("Known instances: sessions"))
    #expect(try SidecarProcess.run(["status", "--format", "xml"] + withToken).exit == .status(64))
    let nobody = "--admin.listen-address=unix:\(directory.path("nobody.sock"))"
    #expect(try SidecarProcess.run(["status", nobody]).exit == .status(2))
  }
}

extension Deployment {
  /// The option that leads a subcommand to this sidecar.
  var adminOption: String { sidecar.adminOption }

  /// What the metrics listener says of the migration.
  func report() throws -> JSONValue { try JSONValue(parsing: sidecar.get("/api/v4/status").text) }

  /// What it says of the instance.
  func status() throws -> JSONValue {
    try #require(try report()["instances"]?.elements?.first)
  }

  /// A figure of the last minutes.
  func history(_ field: String) throws -> Double? { try status()["history"]?[field]?.number }

  /// One store.
  func store(_ role: String) throws -> JSONValue {
    try #require(try status()["stores"]?.elements?.first { $0["store"]?.string == role })
  }

  /// One criterion for the next step; nil if it is not looked at.
  func criterion(_ name: String) throws -> JSONValue? {
    try status()["next_step"]?["criteria"]?.elements?.first { $0["criterion"]?.string == name }
  }
}

extension SidecarProcess {
  /// The option with which the command line reaches its admin API.
  var adminOption: String { "--admin.listen-address=unix:\(directory.path("admin.sock"))" }
}
