import Testing

@testable import MultiStore

@Suite("Queue of a journal")
struct JournalQueueTests {
  private typealias Fixtures = JournalFixtures

  @Test func `the thread is woken once for what it takes at once`() {
    var queue = JournalQueue()
    #expect(queue.append(Fixtures.marked("a")) == true)
    #expect(queue.append(Fixtures.marked("b")) == false)
    #expect(queue.taken() == [Fixtures.marked("a"), Fixtures.marked("b")])
    #expect(queue.takeWork() == nil)
    #expect(queue.append(.stopped) == true)
    queue.close()
    #expect(queue.append(Fixtures.marked("late")) == false)
    #expect(queue.taken() == [.stopped])
    guard case .stop = queue.takeWork() else {
      Issue.record("it goes on")
      return
    }
    #expect(queue.statistics.droppedChanges == 1)
  }

  @Test func `a full queue drops keys, says so, and takes what concerns a whole store`() throws {
    var queue = JournalQueue(limitBytes: 200)
    let routing = StalenessChange.routing(defaultStore: .primary, isWatchful: true)
    _ = queue.append(Fixtures.marked("a"))
    _ = queue.append(Fixtures.marked("b"))
    _ = queue.append(.cleared(.primary, database: 0, key: Array(repeating: 0, count: 100)))
    _ = queue.append(routing)
    guard case .write(let changes, hasGap: true)? = queue.takeWork() else {
      Issue.record("no gap")
      return
    }
    #expect(changes.contains(routing) && changes.contains(Fixtures.marked("a")))
    #expect(queue.statistics.droppedChanges == 1)
    _ = queue.append(Fixtures.marked("d"))
    guard case .write(_, hasGap: false)? = queue.takeWork() else {
      Issue.record("there is room again")
      return
    }
  }

  @Test func `a key that never fits leaves a gap as well`() {
    var queue = JournalQueue(limitBytes: 100)
    let large = StaleKey(key: Array(repeating: 1, count: 1000), database: 0, sinceMilliseconds: 0, reason: .lost)
    #expect(queue.append(.marked(.primary, large)) == true, "the thread notes the gap")
    guard case .write(let changes, hasGap: true)? = queue.takeWork() else {
      Issue.record("no gap")
      return
    }
    #expect(changes.isEmpty)
  }
}

extension JournalQueue {
  fileprivate mutating func taken() -> [StalenessChange]? {
    if case .write(let changes, hasGap: false)? = takeWork() { changes } else { nil }
  }
}
