internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("A change of flags is recorded")
struct RecordedMoveTests {
  /// A process that is killed while commands wait for the move would take the move for a forced one otherwise.
  @Test func `a move is recorded when it begins, and so is its end if it is taken back`() throws {
    let recorder = ChangeRecorder()
    let memory = StalenessMemory(snapshot: StalenessSnapshot(), recorder: recorder)
    let instance = try Instance(dual: true, memory: memory)
    instance.primaryServer.pause()
    let sink = instance.begin("SET k v")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(instance.multiStore.routing(orNotify: Sink()) == nil)
    #expect(recorder.routings.last == "primary true")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    #expect(instance.multiStore.routing(orNotify: Sink())?.defaultStore == .secondary)
    #expect(recorder.routings.last == "secondary true")
    instance.primaryServer.resume()
    try instance.run { sink.isDone }
    #expect(recorder.routings.dropFirst() == ["secondary true", "primary true", "secondary true"])
  }

  /// It is recorded when it is done, so that a process that is killed before counts it after its restart.
  @Test func `a move to a store that is not trusted is recorded at its end`() throws {
    let recorder = ChangeRecorder()
    let memory = StalenessMemory(snapshot: StalenessSnapshot(), recorder: recorder)
    let instance = try Instance(dual: true, memory: memory)
    instance.multiStore.instance.family(.primary).distrust(because: .overflow, now: 1)
    instance.secondaryServer.pause()
    let sink = instance.begin("SET k v")
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    #expect(instance.multiStore.routing(orNotify: Sink()) == nil)
    #expect(recorder.routings.dropFirst() == ["secondary true"])
    instance.secondaryServer.resume()
    try instance.run { sink.isDone && instance.database.defaultStore.role == .primary }
    #expect(recorder.routings.dropFirst() == ["secondary true", "primary true"])
    #expect(instance.count(MultiStoreMetrics.forcedMoves) == 1)
  }

  /// The admin API would refuse it, and the file does not ask: whoever looks for such moves finds all of them.
  @Test func `a move that needs force is counted, though the hold copies all keys`() throws {
    let instance = try Instance(dual: true) { $0.maxKeysAtFlip = 2 }
    for name in ["a", "b", "c"] {
      try instance.both("SET \(name) 1")
      instance.database.primary?.markStale(key: Array(name.utf8), because: .lost)
    }
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: true))
    _ = instance.multiStore.routing(orNotify: Sink())
    try instance.run { instance.database.defaultStore.role == .primary }
    #expect(instance.database.primary?.stale.count == 0)
    #expect(instance.count(MultiStoreMetrics.forcedMoves) == 1)
    let error = "The default store moved though more keys than max_keys_at_flip were stale on the new one"
    #expect(instance.messages.contains(error))
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    _ = instance.multiStore.routing(orNotify: Sink())
    try instance.run { instance.database.defaultStore.role == .secondary }
    #expect(instance.count(MultiStoreMetrics.forcedMoves) == 1)
  }
}
