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
    #expect(try client.pipeline([["GET", "lasts"], ["STRLEN", "goes"], ["GET", "goes"]]).count == 3)
    #expect(try stores[0].command("SET", "goes", "1") == .ok)
    try deployment.waitForMetric("multistore_diff_rechecks_total", ["outcome": "persistent"], 1)
    try deployment.waitForMetric("multistore_diff_rechecks_total", ["outcome": "resolved"], 1)
    #expect(try deployment.metric("multistore_persistent_diff_total", ["command": "get"]) == 1)
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) == 1)
    try deployment.sidecar.waitForEvent { $0["exception.class"]?.string == "MultiStore::PersistentDiffError" }
  }
}
