import TestSupport
import Testing

@Suite("Sidecars that are killed after a change of a flag was answered")
struct KilledFlipTests {
  private static let forced = "The default store moved to a store that was not trusted"

  @Test(arguments: [MigrationState.dual, .dualPrimary, .off])
  func `a flip is not taken for a forced one`(state: MigrationState) throws {
    let here = try RestartableSidecar(state)
    let client = try here.client()
    try client.expect(["SET", "k", "v"], .ok)
    // Copies in flight delay the move beyond the answer.
    let delayed = state == .off ? nil : state == .dual ? here.primary : here.secondary
    delayed?.pause()
    try client.send(RESPClient.encode(["SET", "k", "w"]))
    try here.sidecar.setFlag(Deployment.defaultFlag, !state.primaryIsDefault)
    here.sidecar.kill()
    delayed?.resume()
    try here.start()
    let left = ["store": state.primaryIsDefault ? "primary" : "secondary"]
    let new = ["store": state.primaryIsDefault ? "secondary" : "primary"]
    try here.waitForMetric("multistore_default_store", new, 1)
    #expect(try here.metric("multistore_forced_moves_total") == 0)
    #expect(!here.sidecar.log.all.contains { $0.message.hasPrefix(Self.forced) })
    try here.waitForMetric("multistore_store_trusted", left, state == .off ? 1 : 0)
    try here.waitForMetric("multistore_store_trusted", new, 1)
  }

  @Test func `dual write that was on for a moment is not forgotten`() throws {
    let here = try RestartableSidecar(.off)
    try here.sidecar.setFlag(Deployment.dualFlag, true)
    try here.sidecar.setFlag(Deployment.dualFlag, false)
    here.sidecar.kill()
    try here.start()
    try here.waitForMetric("multistore_store_trusted", ["store": "primary"], 0)
  }
}
