import EventLoop
import Hiredis
import Testing

@testable import Stores

@Suite struct SentinelLocatorTests {
  /// All sentinels are asked periodically too: a search before the loop has run is not one of these.
  @Test func `a refused write begins a search at once`() throws {
    let loop = try EventLoop()
    defer { loop.close() }
    let endpoint = StoreEndpoint(address: .unix(path: "/nonexistent/sentinel"))
    let locator = SentinelLocator(on: loop, group: SentinelGroup(master: "m", nodes: [endpoint]))
    defer { locator.close() }
    let connection = HiredisConnection(on: loop, endpoint: endpoint, limits: ConnectionLimits(), delegate: nil)
    defer { connection.close() }
    #expect(locator.nodes.isEmpty, "no sentinel is asked before there is a reason")
    locator.serverRefusedWrite(of: connection)
    #expect(locator.nodes.count == 1)
  }
}
