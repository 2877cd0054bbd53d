import TestSupport
import Testing

@Suite("Differences that are looked at once more, by the sidecar")
struct RecheckTests {
  @Test(arguments: ["0", "3"]) func `in each database what lasts is told from what goes away`(database: String) throws {
    let deployment = try Deployment(.dual, instance: ["recheck_diffs: true"])
    let stores = try [deployment.primary.client(), deployment.secondary.client()]
    for (number, store) in stores.enumerated() {
      #expect(try store.command("SELECT", database) == .ok)
      #expect(try store.command("MSET", "lasts", "\(number)", "goes", "\(number)") == .ok)
    }
    let client = try deployment.client()
    #expect(try client.command("SELECT", database) == .ok)
    func rechecks(_ outcome: String) throws -> Double {
      try deployment.metric("multistore_diff_rechecks_total", ["outcome": outcome]) ?? 0
    }
    // A difference has to go away within the half second after which it is looked at again.
    var rounds = 0.0
    try eventually("the difference goes away in time") {
      rounds += 1
      #expect(try stores[0].command("SET", "goes", "0") == .ok)
      let start = ContinuousClock.now
      #expect(try client.pipeline([["GET", "lasts"], ["STRLEN", "goes"], ["GET", "goes"]]).count == 3)
      #expect(try stores[0].command("SET", "goes", "1") == .ok)
      let isInTime = ContinuousClock.now - start < .milliseconds(500)
      let resolved = try rechecks("resolved")
      try eventually("both were looked at again") {
        try rechecks("persistent") + rechecks("resolved") == 2 * rounds
      }
      guard isInTime else { return false }
      #expect(try rechecks("resolved") == resolved + 1)
      return true
    }
    let labels = ["command": "get", "kind": "mismatch"]
    #expect(try deployment.metric("multistore_persistent_diff_total", labels) == rechecks("persistent"))
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) == rounds)
    try deployment.sidecar.waitForEvent { $0["exception.class"]?.string == "MultiStore::PersistentDiffError" }
  }

  @Test func `what goes through all keys before they have moved finds gaps and no mismatch`() throws {
    let deployment = try Deployment(.dual, instance: ["recheck_diffs: true", "read_policy: default_store"])
    let old = try deployment.secondary.client()
    for number in 0..<20 {
      _ = try old.pipeline([
        ["SET", "s\(number)", "v"], ["RPUSH", "l\(number)", "a"], ["SADD", "t\(number)", "a"],
        ["HSET", "h\(number)", "f", "v"],
      ])
    }
    let socket = deployment.sidecar.directory.path("sessions.sock")
    let outcome = try ChildProcess.run("/usr/bin/env", ["redis-cli", "-s", socket, "--bigkeys"])
    #expect(outcome.exit == .status(0) && outcome.output.contains("Sampled 80 keys"), "\(outcome.output)")
    let pipelines = try #require(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]))
    #expect(pipelines > 0)
    func differing(_ kind: String) throws -> Double? {
      try deployment.metric("multistore_differing_pipelines_total", ["command": "pipelined", "kind": kind])
    }
    #expect(try differing("gap") == pipelines)
    #expect(try differing("mismatch") == 0)
    try eventually("each was looked at again") {
      try deployment.metric("multistore_diff_rechecks_total", ["outcome": "gap"]) ?? 0 >= 160
    }
    #expect(try deployment.metric("multistore_diff_rechecks_total", ["outcome": "persistent"]) == 0)
    try deployment.finish()
    #expect(deployment.events("MultiStore::PersistentDiffError").isEmpty)
  }
}
