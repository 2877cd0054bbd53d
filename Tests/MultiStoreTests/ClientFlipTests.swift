import MultiStore
import TestSupport
import Testing

@Suite("Client: flips while a call is in flight")
struct ClientFlipTests {
  /// The beginning of the message about a flip that did not wait for all earlier writes.
  private static let forcedFlip = "Feature flags in force before all earlier writes were done"

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

  @Test(arguments: [true, false])
  func `a command that waits moves with the default store, and the commands behind it too`(isDual: Bool) async throws {
    let harness = try await ClientHarness(dual: isDual)
    let client = harness.client
    async let replies = client.pipelined(.blpop("jobs", timeout: ClientHarness.patience), .set("k", "late"))
    try await harness.waitUntilBlocked(on: .secondary)
    harness.flags.exchange(FlagState(dualWrite: isDual, primaryAsDefault: true))
    try await harness.waitUntilBlocked(on: .primary)
    try await client.send(.set("k", "early"))
    try await client.send(.rpush("jobs", "job"))
    let (popped, wasSet) = try await replies
    #expect(popped?.value == Array("job".utf8))
    #expect(wasSet)
    #expect(try harness.ask(.primary, "GET", "k") == .text("late"))
    #expect(try harness.ask(.secondary, "GET", "k") == (isDual ? .text("late") : .null))
    for role in StoreRole.allCases { #expect(try harness.ask(role, "EXISTS", "jobs") == .integer(0)) }
    #expect(harness.count("multistore_blocked_commands_moved_total") == 1)
    #expect(!harness.hasLogged(Self.forcedFlip))
    await client.close()
  }

  @Test func `a command that waits holds up no flip, and is copied while dual writes are on`() async throws {
    let harness = try await ClientHarness()
    let client = harness.client
    for isDual in [true, false] {
      async let moved = client.send("BLMOVE", "k", "done", "LEFT", "RIGHT", ClientHarness.patience / .seconds(1))
      try await harness.waitUntilBlocked(on: .secondary)
      harness.flags.exchange(FlagState(dualWrite: isDual))
      try await client.send(.rpush("k", "x"))
      #expect(try await moved == .string(Array("x".utf8)))
    }
    #expect(try harness.ask(.primary, "LLEN", "done") == .integer(1))
    #expect(try harness.ask(.secondary, "LLEN", "done") == .integer(2))
    for role in StoreRole.allCases { #expect(try harness.ask(role, "EXISTS", "k") == .integer(0)) }
    #expect(!harness.hasLogged(Self.forcedFlip))
    await client.close()
  }
}
