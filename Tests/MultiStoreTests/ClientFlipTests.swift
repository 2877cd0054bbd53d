import MultiStore
import TestSupport
import Testing

@Suite("Client: flips while a call is in flight")
struct ClientFlipTests {
  /// The store's reply to the script and the one to the flip's fence arrive together.
  @Test func `a pipeline's commands behind a script go to the stores of the flags at that time`() async throws {
    let harness = try await ClientHarness(commandTimeout: ClientHarness.patience)
    let client = harness.client
    harness.secondary.pause()
    async let replies = client.pipelined(.eval("return 1"), .set("k", "v"))
    try await soon("the script is in flight") { client.inventory.entries.contains { $0.command == "eval" } }
    harness.flags.exchange(FlagState(dualWrite: true))
    harness.secondary.resume()
    let (_, wasSet) = try await replies
    #expect(wasSet)
    for role in StoreRole.allCases { #expect(try harness.ask(role, "GET", "k") == .text("v")) }
    await client.close()
  }

  @Test func `a pipeline's commands behind one that waits do so too`() async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    async let replies = client.pipelined(.blpop("jobs", timeout: ClientHarness.patience), .set("k", "late"))
    try await harness.waitUntilBlocked(on: .secondary)
    harness.flags.exchange(FlagState(dualWrite: true))
    try await client.send(.set("k", "early"))
    try await client.send(.rpush("jobs", "job"))
    let (popped, wasSet) = try await replies
    #expect(popped?.value == Array("job".utf8))
    #expect(wasSet)
    for role in StoreRole.allCases { #expect(try harness.ask(role, "GET", "k") == .text("late")) }
    await client.close()
  }
}
