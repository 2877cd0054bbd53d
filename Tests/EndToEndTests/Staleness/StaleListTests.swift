import TestSupport
import Testing

@Suite("List of stale keys")
struct StaleListTests {
  @Test func `keys that could not be written are listed with since when and why, until they have healed`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    deployment.primary.kill()
    try deployment.waitForMetric("multistore_store_up", ["store": "primary"], 0)
    for key in ["first", "second", "third"] { try client.command("SET", key, "v") }
    let list = ["stale", "list", deployment.adminOption]
    let hashed = try SidecarProcess.run(list + ["--limit", "2"])
    #expect(hashed.exit == .status(0))
    #expect(hashed.output.contains("sessions, secondary (default): 0 stale keys\n"))
    #expect(hashed.output.contains("sessions, primary: 3 stale keys\nKEY "))
    // printf %s first | sha256sum | cut -c-16
    #expect(hashed.output.contains("\na7937b64b8caa58f "))
    #expect(hashed.output.contains("\nand 1 more; ") && !hashed.output.contains("\nfirst "))
    let shown = try SidecarProcess.run(
      list + ["--show-keys", "--format=json", "--store=primary", "--instance=sessions"]
    )
    let store = try JSONValue(parsing: shown.output)["instances"]?.elements?.first?["stores"]?.elements?.first
    let keys = try #require(store?["keys"]?.elements)
    #expect(keys.map { $0["key"]?.string } == ["first", "second", "third"])
    #expect(keys.allSatisfy { $0["reason"] == .string("unavailable") && $0["database"] == .number(0) })
    let status = try #require(try deployment.status()["stores"]?.elements)
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 3)
    #expect(status.map { $0["trusted"] } == [.null, .bool(true)])
    try eventually("the criterion has the keys") {
      try deployment.criterion("stale_keys")?["measured"]?.string?.hasPrefix("3 keys") == true
    }

    try deployment.primary.restart()
    let primary = try deployment.primary.client()
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 0)
    try client.command("SET", "fourth", "v")
    try eventually("new writes reach it") { try primary.command("GET", "fourth") == .text("v") }
    #expect(try SidecarProcess.run(list).output.contains("sessions, primary: 0 stale keys\n"))
  }

  @Test func `it is not on the metrics listener, and tells an unknown instance from no sidecar`() throws {
    let deployment = try Deployment()
    #expect(try deployment.sidecar.get("/api/v4/stale").status == 404)
    let unknown = try SidecarProcess.run(["stale", "list", "--instance=nobody", deployment.adminOption])
    #expect(unknown.exit == .status(1) && unknown.errors.contains("Known instances: sessions"))
    let refused = try SidecarProcess.run(["stale", "list", "--limit=none", deployment.adminOption])
    #expect(refused.exit == .status(1) && refused.errors.contains("limit has to be a whole number"))
    let nowhere = "--admin.listen-address=unix:\(deployment.sidecar.directory.path("nobody.sock"))"
    #expect(try SidecarProcess.run(["stale", "list", nowhere]).exit == .status(2))
  }
}
