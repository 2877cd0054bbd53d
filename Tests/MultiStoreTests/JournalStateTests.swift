import Testing

@testable import MultiStore

@Suite("State of a journal")
struct JournalStateTests {
  private typealias Fixtures = JournalFixtures

  @Test func `it is the sum of its changes`() {
    var state = JournalState()
    #expect(state.snapshot == StalenessSnapshot())
    state.apply(.change(.routing(defaultStore: .secondary, isWatchful: true)))
    state.apply(.change(Fixtures.marked("b", since: 2)))
    state.apply(.change(Fixtures.marked("a", since: 1, .timeout)))
    state.apply(.change(Fixtures.marked("c", since: 3)))
    state.apply(.change(.cleared(.primary, database: 0, key: Array("b".utf8))))
    state.apply(.change(.cleared(.primary, database: 1, key: Array("c".utf8))))
    state.apply(.change(.trust(.primary, .lost(.overflow, sinceMilliseconds: 4))))
    var expected = StalenessSnapshot()
    expected.staleKeys = [.primary: [Fixtures.key("a", since: 1, .timeout), Fixtures.key("c", since: 3)]]
    expected.trust = [.primary: .lost(.overflow, sinceMilliseconds: 4)]
    expected.defaultStore = .secondary
    expected.isWatchful = true
    #expect(state.snapshot == expected)
    state.apply(.change(.trust(.primary, .trusted)))
    state.apply(.change(.clearedAll(.primary, database: 0)))
    state.apply(.change(.stopped))
    #expect(state.snapshot.trust == [:] && state.snapshot.staleKeys == [:] && state.snapshot.wasStopped)
    #expect(state.liveBytes == 0)
  }

  @Test func `all keys of one database are cleared on one store`() {
    let marks: [JournalRecord] = StoreRole.allCases.flatMap { role in
      (0..<3).map { .change(.marked(role, Fixtures.key("k", database: $0, since: Int64($0)))) }
    }
    let state = Fixtures.state(marks + [.change(.clearedAll(.primary, database: 1))])
    #expect(state.snapshot.staleKeys.mapValues { $0.map(\.database) } == [.primary: [0, 2], .secondary: [0, 1, 2]])
    #expect(state.liveBytes == 5 * (1 + JournalRecord.maxKeyOverheadBytes))
  }

  @Test func `a stop is clean only if nothing follows it and nothing was dropped`() {
    let stopped = JournalRecord.change(.stopped)
    #expect(Fixtures.state([stopped]).snapshot.wasStopped)
    #expect(!Fixtures.state([stopped, .change(Fixtures.marked("a"))]).snapshot.wasStopped)
    #expect(!Fixtures.state([.gap, stopped]).snapshot.wasStopped)
    var next = Fixtures.state([.gap, stopped])
    next.begin()
    #expect(!next.snapshot.wasStopped)
    next.apply(stopped)
    #expect(next.snapshot.wasStopped, "the next process' journal has no gap")
  }

  /// From the records on that each file has.
  @Test(arguments: 2...JournalFixtures.records.count)
  func `rewriting keeps the state`(count: Int) {
    let state = Fixtures.state(Array(Fixtures.records.prefix(count)))
    let isSame = JournalFormat.parse(Fixtures.rewritten(state)) == .success(state)
    #expect(isSame)
  }

  @Test func `a file that can't be read leaves no store trusted`() {
    var state = JournalState()
    state.distrustAll(now: 7)
    let lost = StoreTrust.lost(.stateDamaged, sinceMilliseconds: 7)
    #expect(state.snapshot.trust == [.primary: lost, .secondary: lost])
  }

  @Test func `what is known about other stores is forgotten, and the new ones may differ`() {
    let before: [StoreRole: String] = [.primary: "new/0", .secondary: "old/0"]
    let watchful = Fixtures.state([
      .stores(before), .change(.routing(defaultStore: .primary, isWatchful: true)), .change(Fixtures.marked("a")),
      .change(.stopped),
    ])
    var same = watchful
    #expect(same.adopt(before, now: 1) == .sameStores && same == watchful)
    var other = watchful
    #expect(other.adopt([.primary: "new/1", .secondary: "old/0"], now: 1) == .otherStores)
    let lost = StoreTrust.lost(.otherStores, sinceMilliseconds: 1)
    #expect(other.snapshot.staleKeys == [:] && other.snapshot.trust == [.secondary: lost] && other.liveBytes == 0)
    #expect(other.snapshot.wasStopped && other.snapshot.isWatchful && other.snapshot.defaultStore == .primary)
    // The migration has ended, and another one begins.
    var passThrough = watchful
    #expect(passThrough.adopt([.secondary: "new/0"], now: 2) == .otherStores)
    #expect(!passThrough.snapshot.isWatchful && passThrough.snapshot.defaultStore == nil)
    #expect(passThrough.adopt([.primary: "third/0", .secondary: "new/0"], now: 3) == .otherStores)
    #expect(passThrough.snapshot.trust == [.primary: .lost(.otherStores, sinceMilliseconds: 3)])
    // Dual write was never on.
    var idle = Fixtures.state([.stores(before), .change(.routing(defaultStore: .secondary, isWatchful: false))])
    #expect(idle.adopt([.secondary: "new/0"], now: 1) == .otherStores && idle.snapshot.trust == [:])
    var fresh = JournalState()
    #expect(fresh.adopt(before, now: 1) == .sameStores && fresh.snapshot == StalenessSnapshot())
  }

  @Test func `stale keys stay known when the stores get other addresses`() {
    let before: [StoreRole: String] = [.primary: "new/0", .secondary: "old/0"]
    let known = Fixtures.state([
      .stores(before), .change(.routing(defaultStore: .primary, isWatchful: true)),
      .change(.identified(.primary, runID: "r")), .change(Fixtures.marked("a")), .change(.stopped),
    ])
    var moved = known
    #expect(moved.adopt([.primary: "new:1/0", .secondary: "old/0"], now: 1) == .otherAddresses)
    #expect(moved.snapshot.staleKeys == known.snapshot.staleKeys && moved.snapshot.runIDs == [.primary: "r"])
    #expect(moved.snapshot.trust == [.secondary: .lost(.otherStores, sinceMilliseconds: 1)])
    #expect(moved.liveBytes == known.liveBytes)
    // The marks would be about the wrong store.
    var swapped = known
    #expect(swapped.adopt([.primary: "old/0", .secondary: "new/0"], now: 1) == .otherStores)
    #expect(swapped.snapshot.staleKeys == [:])
  }

  /// Keys become stale and are healed, again and again, as when a store comes and goes.
  @Test func `a file stays within its bound, and is rewritten rarely`() {
    var state = JournalState()
    var (file, rewrites, written) = (Fixtures.file([]).count, 0, 0)
    for round in 0..<60_000 {
      let name = "key:\(round % 2_000)"
      let change =
        round / 2_000 % 2 == 0
        ? Fixtures.marked(name, since: Int64(round)) : .cleared(.primary, database: 0, key: Array(name.utf8))
      state.apply(.change(change))
      let bytes = Fixtures.file([.change(change)]).count - JournalFormat.header.count
      (file, written) = (file + bytes, written + bytes)
      guard state.shouldCompact(fileBytes: file) else { continue }
      (file, rewrites) = (Fixtures.rewritten(state).count, rewrites + 1)
      #expect(!state.shouldCompact(fileBytes: file))
    }
    #expect(written > 2 << 20)
    #expect((1...3).contains(rewrites), "\(rewrites) for \(written) bytes")
  }

  @Test func `what is live takes no more than is reckoned`() {
    for reason in StaleReason.allCases {
      let state = Fixtures.state([.change(.marked(.secondary, Fixtures.key("key", database: 15, since: .max, reason)))])
      #expect(Fixtures.rewritten(state).count - JournalFormat.header.count <= state.liveBytes)
    }
  }
}
