import Testing

@testable import Hiredis

@Suite struct ProbationTests {
  private static let second: UInt64 = 1_000_000_000

  @Test func aStoreThatNeverTimedOutIsUsedAtOnce() {
    var probation = Probation()
    #expect(probation.connected(at: 0) == .use)
    #expect(probation.connected(at: 5 * Self.second) == .use)
  }

  @Test func aStoreThatTimedOutHasToAnswerProbesForAWhile() {
    var probation = Probation()
    probation.commandTimedOut(at: 0)
    #expect(probation.connected(at: 10) == .probe(after: .zero))
    #expect(probation.probeAnswered(at: 20) == .probe(after: Probation.probeInterval))
    #expect(probation.probeAnswered(at: Self.second) == .probe(after: Probation.probeInterval))
    #expect(probation.probeAnswered(at: 10 + 2 * Self.second) == .use)
    #expect(probation.connected(at: 3 * Self.second) == .use, "a connection that is lost otherwise is no timeout")
  }

  @Test func theTimeBeginsAnewWithAnotherConnection() {
    var probation = Probation()
    probation.commandTimedOut(at: 0)
    #expect(probation.connected(at: 0) == .probe(after: .zero))
    #expect(probation.connected(at: 3 * Self.second) == .probe(after: .zero))
    #expect(probation.probeAnswered(at: 4 * Self.second) == .probe(after: Probation.probeInterval))
    #expect(probation.probeAnswered(at: 5 * Self.second) == .use)
  }

  @Test func timeoutsInARowDoubleItUpToAMinute() {
    #expect([1, 2, 3, 4, 5, 6, 7, 100].map(Probation.proof) == [2, 4, 8, 16, 32, 60, 60, 60].map { .seconds($0) })
    var probation = Probation()
    probation.commandTimedOut(at: 0)
    _ = probation.connected(at: 0)
    #expect(probation.probeAnswered(at: 2 * Self.second) == .use)
    probation.commandTimedOut(at: 3 * Self.second)
    _ = probation.connected(at: 3 * Self.second)
    #expect(probation.probeAnswered(at: 5 * Self.second) == .probe(after: Probation.probeInterval))
    #expect(probation.probeAnswered(at: 7 * Self.second) == .use)
  }

  @Test func timeoutsFarApartAreNotInARow() {
    var probation = Probation()
    probation.commandTimedOut(at: 0)
    _ = probation.connected(at: 0)
    #expect(probation.probeAnswered(at: 2 * Self.second) == .use)
    probation.commandTimedOut(at: 302 * Self.second)
    _ = probation.connected(at: 302 * Self.second)
    #expect(probation.probeAnswered(at: 304 * Self.second) == .use)
  }

  @Test func aStoreThatBecomesIndispensableIsUsedWhateverItDid() {
    var probation = Probation()
    probation.commandTimedOut(at: 0)
    _ = probation.connected(at: 0)
    probation.pardon()
    #expect(probation.connected(at: 1) == .use)
  }
}
