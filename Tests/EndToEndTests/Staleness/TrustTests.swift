import TestSupport
import Testing

@Suite("Trust in a store")
struct TrustTests {
  private let primary = ["store": "primary"]

  /// The new store has come back with an older snapshot.
  private func deploymentWithOlderKeys() throws -> Deployment {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.command("SET", "k", "old")
    try deployment.primary.client().command("SAVE")
    try client.command("SET", "k", "new")
    try deployment.primary.restart()
    try deployment.waitForMetric("multistore_store_trusted", primary, 0)
    return deployment
  }

  @Test func `a store that came back with older keys is not trusted, and everything says so`() throws {
    let deployment = try deploymentWithOlderKeys()
    #expect(try deployment.client().command("GET", "k") == .text("new"))
    let labels = primary.merging(["reason": "another_process"]) { $1 }
    #expect(try deployment.metric("multistore_store_trust_losses_total", labels) == 1)
    let stores = try #require(try deployment.status()["stores"]?.elements)
    #expect(stores.map { $0["trusted"] } == [.null, .bool(false)])
    #expect(stores.map { $0["not_trusted_reason"] } == [.null, .string("another_process")])
    #expect(stores[1]["not_trusted_since_timestamp_seconds"]?.number ?? 0 > 1e9)
    let criterion = try #require(try deployment.criterion("trusted"))
    #expect(criterion["result"] == .string("not_met"))
    #expect(criterion["measured"]?.string?.contains("because it came back as another process") == true)
    let table = try SidecarProcess.run(["status", deployment.adminOption]).output
    #expect(table.contains("the new store is not trusted since 20") && table.contains("UTC: another_process\n"))
    #expect(table.contains("--store primary"))
    let page = try deployment.sidecar.get("/status").text
    #expect(page.contains("the new store is not trusted since 20") && page.contains("UTC: another_process</td>"))
  }

  @Test func `an operator brings trust back, and the log says who and why`() throws {
    let deployment = try deploymentWithOlderKeys()
    let why = "compared \"all\" keys"
    let trust = ["trust", "--store=primary", "--why", why, deployment.adminOption]
    let said = try SidecarProcess.run(
      trust + ["--instance=sessions"],
      environment: ["SUDO_USER": "", "LOGNAME": "eve"]
    )
    #expect(said.exit == .status(0))
    #expect(said.output.hasPrefix("The primary store of sessions is trusted again. It was not trusted since 20"))
    let line = try deployment.sidecar.waitForEvent("trust") { $0.message.hasPrefix("Store trusted again") }
    #expect(line["who"]?.string == "eve" && line["why"]?.string == why)
    #expect(line["instance_name"]?.string == "sessions" && line["not_trusted_because"]?.string == "another_process")
    try deployment.waitForMetric("multistore_store_trusted", primary, 1)
    try eventually("the criterion is met") { try deployment.criterion("trusted")?["result"] == .string("met") }
    // The word counts: the operator has not looked.
    #expect(try deployment.client().command("GET", "k") == .text("old"))

    let again = try SidecarProcess.run(trust + ["--instance=sessions", "--who=mallory"])
    #expect(again.exit == .status(0) && again.output.hasSuffix("is trusted already; nothing was changed.\n"))
    #expect(deployment.sidecar.log.all.allSatisfy { $0["who"]?.string != "mallory" })
  }

  @Test func `what can't be trusted is refused in words`() throws {
    let deployment = try Deployment()
    func trust(_ options: String...) throws -> ProcessOutcome {
      try SidecarProcess.run(["trust", "--why=x", deployment.adminOption] + options)
    }
    let byDefault = try trust("--instance=sessions", "--store=secondary")
    #expect(byDefault.exit == .status(1) && byDefault.errors.contains("its values are the truth"))
    let unknown = try trust("--instance=nobody", "--store=primary")
    #expect(unknown.exit == .status(1) && unknown.errors.contains("Known instances: sessions"))
    let third = try trust("--instance=sessions", "--store=third")
    #expect(third.exit == .status(1) && third.errors.contains("Its stores: primary secondary"))
    let missing = try trust("--instance=sessions")
    #expect(missing.exit == .status(64) && missing.errors.contains("--store is missing"))
    #expect(try deployment.sidecar.get("/api/v4/trust").status == 404)
  }
}
