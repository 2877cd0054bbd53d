internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Flags are looked at for each command and some times a second. What happens between two looks counts all the same.
@Suite("Dual write that is on for a moment")
struct ShortDualWriteTests {
  @Test(arguments: [true, false])
  func `writes after it leave stale keys`(primaryAsDefault: Bool) throws {
    let instance = try Instance(dual: false, primaryAsDefault: primaryAsDefault, preparedBy: ["SET k 1"])
    _ = try instance.execute("GET k")
    let flags = instance.multiStore.flags
    for dualWrite in [true, false] {
      flags.exchange(FlagState(dualWrite: dualWrite, primaryAsDefault: primaryAsDefault))
    }
    _ = try instance.execute("SET k 2")
    let other = instance.database.store(primaryAsDefault ? .secondary : .primary)
    #expect(other.stale.count == 1)
    flags.exchange(FlagState(dualWrite: true, primaryAsDefault: primaryAsDefault))
    #expect(try instance.execute("GET k") == "$1|2|")
    #expect(try instance.execute("GET k", "INCR k", as: .pipelined) == "$1|2|:3|")
    flags.exchange(FlagState(dualWrite: true, primaryAsDefault: !primaryAsDefault))
    #expect(try instance.execute("GET k") == "$1|3|")
  }

  @Test func `without it, writes leave none`() throws {
    let instance = try Instance(dual: false)
    _ = try instance.execute("SET k 2")
    instance.multiStore.flags.exchange(FlagState(primaryAsDefault: true))
    _ = try instance.execute("SET k 3")
    #expect(instance.database.secondary.stale.isEmpty && instance.database.primary?.stale.isEmpty == true)
  }

  @Test func `the next process knows of it`() throws {
    let recorder = ChangeRecorder()
    let memory = StalenessMemory(snapshot: StalenessSnapshot(), recorder: recorder)
    let instance = try Instance(dual: false, memory: memory)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true))
    instance.multiStore.flags.exchange(FlagState())
    instance.multiStore.instance.applyFlags()
    #expect(recorder.routings == ["secondary false", "secondary true"])
  }

  @Test(arguments: [true, false])
  func `a flag that was turned off while no process ran applies from the start`(wasStopped: Bool) throws {
    var snapshot = StalenessSnapshot()
    snapshot.defaultStore = .primary
    (snapshot.isWatchful, snapshot.wasStopped) = (true, wasStopped)
    let memory = StalenessMemory(snapshot: snapshot, recorder: ChangeRecorder())
    let instance = try Instance(dual: false, memory: memory)
    try instance.both("SET k 1")
    _ = try instance.secondary.command("SET", "k", "2")
    #expect(try instance.execute("GET k") == "$1|2|")
  }
}

/// Keeps the changes of an instance that the test's own thread runs.
final class ChangeRecorder: StalenessRecorder, @unchecked Sendable {
  private(set) var routings: [String] = []

  func append(_ change: StalenessChange) {
    if case .routing(let store, let isWatchful) = change { routings.append("\(store.label) \(isWatchful)") }
  }
}
