internal import Testing

@testable internal import MultiStore

@Suite("Keys that become quiet")
struct QuietKeysTests {
  /// The same with keys that are text.
  private final class Keys {
    private var keys = QuietKeys()

    var count: Int { keys.count }

    func note(_ key: String, now: UInt64) -> Bool { keys.note(Array(key.utf8).span, now: now) }

    func takeDue(now: UInt64) -> String? {
      keys.takeDue(now: now, quiet: 10).map { String(decoding: $0, as: UTF8.self) }
    }
  }

  @Test func `come out once nobody has written them for a while`() {
    let keys = Keys()
    for (time, key) in ["a", "b", "c"].enumerated() { #expect(keys.note(key, now: UInt64(time))) }
    #expect(keys.takeDue(now: 9) == nil)
    #expect(keys.note("a", now: 9))
    #expect(keys.count == 3)
    #expect(keys.takeDue(now: 11) == "b" && keys.takeDue(now: 11) == nil)
    #expect(keys.takeDue(now: 12) == "c" && keys.takeDue(now: 18) == nil)
    #expect(keys.takeDue(now: 19) == "a" && keys.count == 0)
    #expect(keys.note("a", now: 20) && keys.count == 1)
  }

  @Test func `are no more than the limit, and none is lost below it`() {
    let keys = Keys()
    for round in 0..<3 {
      let time = UInt64(round) * 100
      for number in 0..<QuietKeys.limit { #expect(keys.note("key:\(round):\(number)", now: time)) }
      #expect(!keys.note("one more", now: time))
      #expect(keys.note("key:\(round):7", now: time), "that one is there")
      var seen = Set<String>()
      while let key = keys.takeDue(now: time + 10) { seen.insert(key) }
      #expect(seen.count == QuietKeys.limit && keys.count == 0)
    }
    #expect(!keys.note(String(repeating: "k", count: QuietKeys.longestKey + 1), now: 0))
  }

  @Test func `that are written all the time do not keep others waiting`() {
    let keys = Keys()
    for number in 0..<100 { #expect(keys.note("hot:\(number)", now: 0)) }
    #expect(keys.note("cold", now: 0))
    for time in 1..<10 as Range<UInt64> {
      for number in 0..<100 { #expect(keys.note("hot:\(number)", now: time)) }
    }
    #expect(keys.takeDue(now: 10) == "cold" && keys.takeDue(now: 10) == nil)
  }
}
