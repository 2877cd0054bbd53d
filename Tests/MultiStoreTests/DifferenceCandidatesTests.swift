internal import Testing

@testable internal import MultiStore

@Suite("Keys that differed at a look")
struct DifferenceCandidatesTests {
  private static let second = DifferenceCandidates.pause
  private let key = Array("k".utf8)

  private func digest(_ digest: String, type: String = "string") -> KeyDigest {
    KeyDigest(type: type, size: 1, digest: digest, expiry: -1)
  }

  private func compared(_ outcome: KeyComparisonOutcome, _ expected: String = "a", _ found: String = "b") -> ComparedKey
  {
    ComparedKey(key: key, outcome: outcome, expected: digest(expected), found: digest(found))
  }

  /// Looks at the one key a second after the last look.
  private func look(_ candidates: inout DifferenceCandidates, _ number: UInt64, _ compared: ComparedKey) throws
    -> DifferenceCandidates.Verdict
  {
    #expect(candidates.takeDue(now: number * Self.second - 1, atMost: 9).isEmpty)
    let due = candidates.takeDue(now: number * Self.second, atMost: 9)
    return candidates.looked(at: try #require(due.first), compared, now: number * Self.second)
  }

  private func candidates(heals: Bool = false) -> DifferenceCandidates {
    var candidates = DifferenceCandidates(rounds: 3, heals: heals)
    candidates.add(key, database: 0, expected: digest("a"), now: 0)
    return candidates
  }

  @Test func `are different if they differ again and the default store's value has not changed`() throws {
    var candidates = candidates()
    #expect(try look(&candidates, 1, compared(.different)) == .different(.value))
    #expect(candidates.isEmpty)
  }

  @Test func `are equal if they are at the next look`() throws {
    var candidates = candidates()
    #expect(try look(&candidates, 1, compared(.equal)) == .equal)
    #expect(candidates.isEmpty)
  }

  @Test func `are looked at again while the default store's value changes, as often as asked`() throws {
    var candidates = candidates()
    #expect(try look(&candidates, 1, compared(.different, "c")) == .undecided)
    #expect(try look(&candidates, 2, compared(.different, "d")) == .changing)
    #expect(candidates.isEmpty)
  }

  @Test func `count as failed only if no store answers at the last look`() throws {
    var candidates = candidates()
    #expect(try look(&candidates, 1, compared(.failed)) == .undecided)
    #expect(try look(&candidates, 2, compared(.failed)) == .failed)
  }

  @Test func `that are mended are looked at until they are equal`() throws {
    var candidates = candidates(heals: true)
    #expect(try look(&candidates, 1, compared(.different)) == .different(.value))
    #expect(try look(&candidates, 2, compared(.disturbed)) == .undecided)
    #expect(try look(&candidates, 3, compared(.equal)) == .healed)
    #expect(candidates.isEmpty)
  }

  @Test func `that are not mended in a minute count as not mended`() throws {
    var candidates = candidates(heals: true)
    _ = try look(&candidates, 1, compared(.different))
    for number in 2...UInt64(DifferenceCandidates.healingLooks) {
      #expect(try look(&candidates, number, compared(.different)) == .undecided)
    }
    #expect(try look(&candidates, UInt64(DifferenceCandidates.healingLooks) + 1, compared(.different)) == .unhealed)
    #expect(candidates.isEmpty)
  }

  @Test func `have a kind of difference`() {
    let (value, none) = (digest("a"), KeyDigest(type: "none", size: 0, digest: "", expiry: -1))
    #expect(value.difference(from: none) == .missing)
    #expect(none.difference(from: value) == .extra)
    #expect(value.difference(from: digest("a", type: "list")) == .type)
    #expect(value.difference(from: digest("b")) == .value)
    #expect(value.difference(from: KeyDigest(type: "string", size: 1, digest: "a", expiry: 5_000)) == .expiry)
  }

  @Test func `are bounded, and taken one database at a time`() {
    var candidates = DifferenceCandidates(rounds: 3, heals: false)
    candidates.add(key, database: 0, expected: nil, now: 0)
    candidates.add(key, database: 1, expected: nil, now: 0)
    #expect(candidates.takeDue(now: Self.second, atMost: 9).map(\.database) == [0])
    while !candidates.isFull { candidates.add(key, database: 1, expected: nil, now: 0) }
    #expect(candidates.takeDue(now: Self.second, atMost: 9).count == 9)
  }
}
