import TestSupport
import Testing

@Suite("Writes that the new default store refuses")
struct RefusedWriteTests {
  private static let keys = (0..<100).map { "k\($0)" }

  /// The keys are stale on the new store, which becomes the default and is read-only: nothing that is sent is executed.
  /// While the default moves back, keys that it lacks are being copied to it.
  @Test(arguments: [0, 100])
  func `do not make its outdated values count after the way back`(rate: Int) throws {
    let deployment = try Deployment(.dual, instance: ["key_work_rate: \(rate)"])
    let client = try deployment.client()
    for key in Self.keys { try client.expect(["SET", key, "1"], .ok) }
    try deployment.sidecar.setFlag(Deployment.dualFlag, false)
    // From then on a write is the old store's alone, and known to be.
    try eventually("writes reach one store") {
      try client.command("SET", "probe", "v")
      return try deployment.metric("multistore_stale_keys", ["store": "primary"]) == 1
    }
    for key in Self.keys { try client.expect(["SET", key, "2"], .ok) }
    let primary = try deployment.primary.client()
    try primary.expect(["REPLICAOF", "127.0.0.1", "1"], .ok)
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    try deployment.waitForMetric("multistore_default_store", ["store": "primary"], 1)
    for key in Self.keys { #expect(try client.command("SET", key, "3").errorText?.hasPrefix("READONLY") == true) }
    try primary.expect(["REPLICAOF", "NO", "ONE"], .ok)
    try deployment.sidecar.setFlag(Deployment.defaultFlag, false)
    try deployment.waitForMetric("multistore_default_store", ["store": "secondary"], 1)
    for key in Self.keys { try client.expect(["GET", key], .text("2")) }
    try deployment.sidecar.setFlag(Deployment.dualFlag, true)
    for key in Self.keys { try client.expect(["GET", key], .text("2")) }
  }
}
