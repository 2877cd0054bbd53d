import TestSupport
import Testing

/// Keys of databases that clients select, while the first database is empty.
@Suite("Trust in a store whose first database is empty")
struct OtherDatabaseTrustTests {
  private let primary = ["store": "primary"]

  private func client(_ here: RestartableSidecar) throws -> RESPClient {
    let client = try here.client()
    try client.expect(["SELECT", "5"], .ok)
    return client
  }

  private func direct(_ server: RedisServer) throws -> RESPClient {
    let client = try server.client()
    try client.expect(["SELECT", "5"], .ok)
    return client
  }

  /// Waits until the sidecar knows how many keys the new store's first database has: an empty one brings no trust.
  private func waitForFigures(_ here: RestartableSidecar) throws {
    try eventually("the stores' keys were counted") { try here.metric("multistore_store_keys", primary) != nil }
  }

  @Test func `is lost by an unclean stop`() throws {
    let here = try RestartableSidecar(.dual)
    try client(here).expect(["SET", "a", "old"], .ok)
    here.sidecar.kill()
    try direct(here.secondary).expect(["SET", "a", "new"], .ok)
    try here.start()
    try waitForFigures(here)
    #expect(try client(here).command("GET", "a") == .text("new"))
    try here.waitForMetric("multistore_store_trusted", primary, 0)
  }

  @Test(arguments: [true, false])
  func `is lost when the store comes back with older keys`(sidecarIsStopped: Bool) throws {
    let here = try RestartableSidecar(.dual)
    let client = try client(here)
    try client.expect(["SET", "a", "old"], .ok)
    // It has the older key from its start on: the sidecar may look before another client could set one.
    try direct(here.primary).expect(["SAVE"], .ok)
    try client.expect(["SET", "a", "new"], .ok)
    if sidecarIsStopped { #expect(try here.sidecar.terminate() == .status(0)) }
    here.primary.kill()
    try here.primary.restart()
    if sidecarIsStopped { try here.start() }
    try here.waitForMetric("multistore_store_trusted", primary, 0)
    try waitForFigures(here)
    #expect(try self.client(here).command("GET", "a") == .text("new"))
    #expect(try here.metric("multistore_store_trusted", primary) == 0)
  }

  @Test func `comes back when all databases are empty`() throws {
    let here = try RestartableSidecar(.dual)
    try client(here).expect(["SET", "a", "v"], .ok)
    here.primary.kill()
    try here.primary.restart()
    try here.waitForMetric("multistore_store_restarts_total", primary, 1)
    try here.waitForMetric("multistore_store_trusted", primary, 1)
  }
}
