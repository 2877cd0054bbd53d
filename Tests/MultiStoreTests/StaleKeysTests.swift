internal import Testing

@testable internal import MultiStore

@Suite("Stale keys")
struct StaleKeysTests {
  @Test func `keys are stale from the failed write to the one that replaces them`() {
    var stale = StaleKeys(limit: 10)
    #expect(stale.isEmpty && !stale.contains("a"))
    #expect(stale.insert("a") == .added)
    #expect(stale.insert("a") == .known)
    #expect(stale.insert("a", .timeout) == .changed)
    #expect(stale.count == 1 && !stale.isEmpty && stale.contains("a") && !stale.contains("b"))
    #expect(!stale.remove("b"))
    #expect(stale.count == 1)
    #expect(stale.remove("a"))
    #expect(stale.isEmpty && !stale.contains("a"))
  }

  @Test func `what began before the failed write, or with it, makes nothing whole`() {
    var stale = StaleKeys(limit: 10)
    #expect(stale.insert("a", at: 5) == .added)
    #expect(!stale.remove("a", begunAt: 4))
    #expect(!stale.remove("a", begunAt: 5))
    #expect(stale.contains("a"))
    #expect(stale.insert("a", at: 7) == .known)
    #expect(!stale.remove("a", begunAt: 6))
    #expect(stale.remove("a", begunAt: 8))
    #expect(stale.isEmpty)
  }

  @Test func `a key beyond the limit is not taken`() {
    var stale = StaleKeys(limit: 2)
    #expect(stale.insert("a") == .added)
    #expect(stale.insert("b") == .added)
    #expect(stale.insert("b") == .known, "a key that is known already takes no further room")
    #expect(stale.insert("c") == .full)
    #expect(stale.count == 2 && !stale.contains("c"))
    stale.isDistrusted = true
    #expect(stale.contains("never seen") && !stale.isKnown("never seen"))
    stale.removeAll()
    #expect(!stale.isEmpty && stale.count == 0, "who distrusts it has to trust it again")
    var none = StaleKeys(limit: 0)
    #expect(none.isEmpty && none.insert("a") == .full)
  }

  @Test func `emptying the store leaves what was marked since`() {
    var stale = StaleKeys(limit: 10)
    for (time, key) in ["a", "b", "c"].enumerated() { #expect(stale.insert(key, at: UInt64(time)) == .added) }
    stale.removeAll(markedBefore: 1)
    #expect(!stale.contains("a") && stale.contains("b") && stale.contains("c"))
  }

  @Test func `the key that has been stale for longest is copied first, and one at a time`() {
    var stale = StaleKeys(limit: 10)
    for key in ["c", "a", "b"] { #expect(stale.insert(key) == .added) }
    // A write that fails again does not move it to the end.
    #expect(stale.insert("c", at: 9) == .known)
    #expect(stale.remove("a"))
    #expect(stale.takeNext() == Array("c".utf8))
    #expect(stale.insert("c", at: 10) == .known)
    #expect(stale.takeNext() == Array("b".utf8))
    #expect(stale.takeNext() == nil && !stale.hasNext)
    stale.giveBack(Array("c".utf8), hasFailed: false, now: 11)
    #expect(stale.takeNext() == Array("c".utf8))
  }

  @Test func `a key that could not be copied is left alone for a while, until the store is back`() {
    var stale = StaleKeys(limit: 10)
    #expect(stale.insert("a") == .added)
    #expect(stale.takeNext() != nil)
    stale.giveBack(Array("a".utf8), hasFailed: true, now: 100)
    stale.resumePostponed(now: 99 + StaleKeys.retryPause)
    #expect(stale.takeNext() == nil)
    stale.resumePostponed(now: 100 + StaleKeys.retryPause)
    #expect(stale.takeNext() == Array("a".utf8))
    stale.giveBack(Array("a".utf8), hasFailed: true, now: 200)
    stale.retryAll()
    #expect(stale.takeNext() == Array("a".utf8))
  }

  @Test func `a key that is whole, and stale once more, is copied once`() {
    var stale = StaleKeys(limit: 10)
    for round in 0..<1000 {
      #expect(stale.insert("a", at: UInt64(round)) == .added)
      #expect(stale.remove("a", begunAt: UInt64(round + 1)))
    }
    #expect(stale.insert("a", at: 5000) == .added)
    #expect(stale.takeNext() != nil && stale.takeNext() == nil)
    // A copy that was under way when the key became whole is nobody's business any more.
    #expect(stale.remove("a", begunAt: 6000) && stale.insert("a", at: 7000) == .added)
    stale.giveBack(Array("a".utf8), hasFailed: false, now: 8000)
    #expect(stale.takeNext() != nil && stale.takeNext() == nil)
  }
}

@Suite("Pace of whole keys")
struct KeyPaceTests {
  @Test func `no more than the rate begin in a second, and no more than the bounds are in flight`() {
    var pace = KeyPace(keysPerSecond: 100)
    var begun = 0
    for millisecond in 0..<1000 {
      let now = UInt64(millisecond + 1) * 1_000_000
      while pace.mayBegin(now: now, isHurried: false) {
        pace.began()
        pace.ended(bytes: 0)
        begun += 1
      }
    }
    #expect((100...110).contains(begun), "a tenth of a second's may begin at once")
    let now: UInt64 = 60_000_000_000
    var inFlight = KeyPace(keysPerSecond: 1_000_000)
    while inFlight.mayBegin(now: now, isHurried: false) { inFlight.began() }
    #expect(inFlight.keysInFlight == KeyPace.maxKeys)
    #expect(inFlight.mayBegin(now: now, isHurried: true))
    inFlight.received(bytes: KeyPace.maxBytes)
    #expect(!inFlight.mayBegin(now: now, isHurried: true))
    inFlight.ended(bytes: KeyPace.maxBytes)
    #expect(inFlight.mayBegin(now: now, isHurried: false))
  }

  @Test func `it tells how long the rate lets nothing begin`() throws {
    var pace = KeyPace(keysPerSecond: 10)
    #expect(pace.pause(now: 1) == nil)
    pace.began()
    let pause = try #require(pace.pause(now: 1))
    #expect(pause > .milliseconds(99) && pause < .milliseconds(101))
    #expect(pace.pause(now: 1 + 100_000_001) == nil)
  }
}

/// The same with keys that are text.
extension StaleKeys {
  fileprivate func contains(_ key: String) -> Bool { contains(Array(key.utf8).span) }

  fileprivate func isKnown(_ key: String) -> Bool { isKnown(Array(key.utf8).span) }

  fileprivate mutating func insert(_ key: String, at time: UInt64 = 1, _ reason: StaleReason = .lost) -> Marking {
    insert(Array(key.utf8), at: time, sinceMilliseconds: 0, reason)
  }

  fileprivate mutating func remove(_ key: String, begunAt time: UInt64 = 100) -> Bool {
    remove(Array(key.utf8).span, begunAt: time)
  }
}
