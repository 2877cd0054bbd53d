internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Flips that have nothing to wait for")
struct PromptFlipTests {
  /// While dual write is off, keys are not copied in the hold: the writes before it are in flight to one store alone.
  @Test func `a flip while dual write is off holds nobody for stale keys`() throws {
    let instance = try Instance(dual: true)
    _ = try instance.execute("SET k v")
    instance.multiStore.flags.exchange(FlagState())
    _ = try instance.execute("SET k w")
    try instance.run { [database = instance.database] in database.primary?.stale.count == 1 }
    instance.multiStore.flags.exchange(FlagState(primaryAsDefault: true))
    let waiter = Sink()
    #expect(instance.multiStore.routing(orNotify: waiter)?.defaultStore == .primary, "it is not held")
    #expect(try instance.execute("GET k") == "$1|w|")
  }
}
