import Testing

@testable import Status

@Suite("Samples of the last minutes")
struct SampleHistoryTests {
  private let start = ContinuousClock.now

  /// A history with a sample every five seconds, at which `commands` clients' commands have been counted.
  private func history(_ count: Int, commands: (Int) -> Double) -> SampleHistory {
    var history = SampleHistory()
    for index in 0..<count {
      var counts = InstanceCounts()
      counts.commands = commands(index)
      history.append(.init(at: start + SampleHistory.interval * index, counts: counts))
    }
    return history
  }

  @Test func `nothing is said without samples`() {
    let empty = SampleHistory()
    #expect(empty.window == SampleHistory.Window() && empty.stateWindow == SampleHistory.Window())
    #expect(empty.points == [] && empty.span(ofLast: .seconds(60)) == SampleHistory.Span())
  }

  @Test func `the window is fifteen minutes, however long it has been going on`() {
    let window = history(1000) { Double($0) }.window
    #expect(window.isFull && window.whole.seconds == 900 && window.whole.counts.commands == 180)
    #expect(window.older.seconds == 450 && window.younger.seconds == 450)
    #expect(window.older.counts.commands == 90 && window.younger.counts.commands == 90)
  }

  @Test func `memory is bounded`() {
    #expect(history(10_000) { Double($0) }.samples.count == 182)
  }

  @Test func `a young sidecar has no full window, and one at last`() {
    let young = history(60) { Double($0) }.window
    #expect(!young.isFull && young.whole.seconds == 295)
    #expect(!history(179) { Double($0) }.window.isFull)
    // An interval is allowed for a timer that is late.
    #expect(history(180) { Double($0) }.window.isFull)
  }

  @Test func `a state's window begins with what had been counted when it began`() {
    func window(_ begin: Double, counted: Double) -> SampleHistory.Window {
      var history = history(400) { Double($0) }
      var counts = InstanceCounts()
      counts.commands = counted
      history.beginState(.init(at: start + SampleHistory.interval * begin, counts: counts))
      return history.stateWindow
    }
    // Of the command between two samples a half came before.
    let window390 = window(390.4, counted: 390.5)
    #expect(!window390.isFull && window390.whole.counts.commands == 8.5)
    #expect(window390.older.counts.commands + window390.younger.counts.commands == 8.5)
    let old = window(219, counted: 219)
    #expect(old.isFull && old.whole.counts.commands == 180)
    // A state that began a moment ago.
    let new = window(399, counted: 399)
    #expect(!new.isFull && new.whole.counts.commands == 0 && new.whole.seconds == 0)
  }

  @Test func `a curve has sixty points of fifteen seconds, the newest last`() {
    let points = history(1000) { $0 < 997 ? 0 : Double($0 - 996) * 10 }.points
    #expect(points.count == 60 && points.allSatisfy { $0.seconds == 15 })
    #expect(points.last?.counts.commands == 30 && points.dropLast().allSatisfy { $0.counts.commands == 0 })
    #expect(history(3) { Double($0) }.points.isEmpty)
    #expect(history(4) { Double($0) }.points.map(\.counts.commands) == [3])
    #expect(history(6) { Double($0) }.points.count == 1)
    #expect(history(7) { Double($0) }.points.count == 2)
  }

  @Test func `the last minute is the last minute`() {
    let minute = history(100) { Double($0) }.span(ofLast: .seconds(60))
    #expect(minute.seconds == 60 && minute.counts.commands == 12)
    #expect(history(3) { Double($0) }.span(ofLast: .seconds(60)).seconds == 10)
  }
}
