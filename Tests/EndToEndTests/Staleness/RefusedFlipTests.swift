import TestSupport
import Testing

@Suite("Refused flips of a running sidecar")
struct RefusedFlipTests {
  private static let path = "/api/v4/features/\(Deployment.defaultFlag)"

  /// Five keys are stale on the store that is not the default, and it is down.
  private func deployment(_ state: MigrationState, flagFile: Bool = false) throws -> Deployment {
    let deployment = try Deployment(state, instance: ["max_keys_at_flip: 4"], flagFile: flagFile)
    let store = state == .dual ? "primary" : "secondary"
    (state == .dual ? deployment.primary : deployment.secondary).kill()
    try deployment.waitForMetric("multistore_store_up", ["store": store], 0)
    let client = try deployment.client()
    for key in 0..<5 { try client.command("SET", "k\(key)", "v") }
    try deployment.waitForMetric("multistore_stale_keys", ["store": store], 5)
    return deployment
  }

  @Test func `a flip to a store with too many stale keys is refused by API and command line, unless forced`() throws {
    let deployment = try deployment(.dual)
    let refused = try deployment.sidecar.admin("POST", Self.path, form: ["value": "true"])
    #expect(refused.status == 409)
    #expect(refused.text.contains("would move to the primary store. 5 keys are stale there, and max_keys_at_flip is 4"))
    let set = ["feature", "set", Deployment.defaultFlag, "true", deployment.adminOption]
    let said = try SidecarProcess.run(set)
    #expect(said.exit == .status(1) && said.errors.contains("add force=true (--force on the command line)"))
    #expect(
      try SidecarProcess.run(["feature", "get", Deployment.defaultFlag, deployment.adminOption]).output.hasSuffix(
        ": off\n"
      )
    )
    #expect(try deployment.client().command("GET", "k0") == .text("v"))
    #expect(try deployment.metric("multistore_forced_moves_total") == 0)
    // The other flag is nobody's danger.
    #expect(
      try deployment.sidecar.admin("POST", "/api/v4/features/\(Deployment.dualFlag)", form: ["value": "true"]).status
        == 201
    )

    #expect(try SidecarProcess.run(set + ["--force"]).exit == .status(0))
    try deployment.waitForMetric("multistore_forced_moves_total", [:], 1)
    try deployment.waitForMetric("multistore_default_store", ["store": "primary"], 1)
  }

  @Test func `removing the flag moves the default too, and is refused alike`() throws {
    let deployment = try deployment(.dualPrimary)
    let refused = try deployment.sidecar.admin("DELETE", Self.path)
    #expect(refused.status == 409 && refused.text.contains("would move to the secondary store. 5 keys are stale there"))
    #expect(try deployment.sidecar.admin("DELETE", "\(Self.path)?force=true").status == 204)
    try deployment.waitForMetric("multistore_default_store", ["store": "secondary"], 1)
    try deployment.waitForMetric("multistore_forced_moves_total", [:], 1)
  }

  @Test func `a flip to a store that is not trusted is refused with since when and why`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.command("SET", "k", "old")
    try deployment.primary.client().command("SAVE")
    try deployment.primary.restart()
    try deployment.waitForMetric("multistore_store_trusted", ["store": "primary"], 0)
    let refused = try deployment.sidecar.admin("POST", Self.path, form: ["value": "true"])
    #expect(refused.status == 409)
    #expect(refused.text.contains("That store is not trusted since 20"))
    #expect(refused.text.contains("because it came back as another process with keys in it"))
    #expect(try deployment.sidecar.admin("POST", Self.path, form: ["value": "true", "force": "true"]).status == 201)
    try deployment.waitForMetric("multistore_forced_moves_total", [:], 1)
    // The store that was left may have what the new one lacks.
    try deployment.waitForMetric("multistore_store_trusted", ["store": "secondary"], 0)
    try eventually("the criterion is about the old store") {
      try deployment.criterion("trusted")?["measured"]?.string?.hasPrefix("the old store is not trusted since") == true
    }
  }

  @Test func `a flip to a store that is down or lacks functions is refused`() throws {
    let deployment = try Deployment(.dual)
    let flip = { try deployment.sidecar.admin("POST", Self.path, form: ["value": "true"]) }
    let primary = try deployment.primary.client()
    #expect(try primary.command("CONFIG", "SET", "maxmemory", "1") == .ok)
    let library = "#!lua name=l\nredis.register_function('f', function() return 1 end)"
    #expect(try deployment.client().command("FUNCTION", "LOAD", library) == .text("l"))
    try deployment.sidecar.waitForEvent { $0.message.hasPrefix("Functions could not be copied") }
    let refused = try flip()
    #expect(refused.status == 409 && refused.text.contains("they could not be copied (OOM "), "\(refused.text)")
    deployment.primary.kill()
    try eventually("the store is known to be down") { try flip().text.contains("That store can't be used: ") }
    try deployment.primary.restart()
    try eventually("the functions are copied") { try flip().status == 201 }
    #expect(try deployment.client().command("FCALL", "f", "0") == .integer(1))
  }

  @Test func `a flip by the flag file is done, counted, and an error in the log`() throws {
    let deployment = try deployment(.dual, flagFile: true)
    try deployment.sidecar.directory.write(Deployment.flags(.dualPrimary), to: "flags.yml")
    try deployment.waitForMetric("multistore_default_store", ["store": "primary"], 1)
    try deployment.waitForMetric("multistore_forced_moves_total", [:], 1)
    let said = "The default store moved though more keys than max_keys_at_flip were stale on the new one"
    try deployment.sidecar.waitForEvent { $0.message == said && $0["severity"]?.string == "ERROR" }
  }
}
