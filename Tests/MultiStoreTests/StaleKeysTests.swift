internal import Testing

@testable internal import MultiStore

/// Stale keys whose names are text.
private final class Keys {
  var keys: StaleKeys

  init(limit: Int) { keys = StaleKeys(limit: limit) }

  func contains(_ key: String) -> Bool { keys.contains(key) }

  func isKnown(_ key: String) -> Bool { keys.isKnown(Array(key.utf8).span) }

  @discardableResult
  func insert(_ key: String, at time: UInt64 = 1, since: Int64 = 0, _ reason: StaleReason = .lost)
    -> StaleKeys.Marking
  {
    keys.insert(Array(key.utf8), at: time, sinceMilliseconds: since, reason)
  }

  func remove(_ key: String, begunAt time: UInt64 = 100) -> Bool { keys.remove(Array(key.utf8).span, begunAt: time) }

  func takeNext() -> String? { keys.takeNext().map { String(decoding: $0, as: UTF8.self) } }
}

@Suite("Stale keys")
struct StaleKeysTests {
  @Test func `keys are stale from the failed write to the one that replaces them`() {
    let stale = Keys(limit: 10)
    #expect(stale.keys.isEmpty && !stale.contains("a"))
    #expect(stale.insert("a") == .added)
    #expect(stale.insert("a") == .known)
    #expect(stale.insert("a", .timeout) == .known)
    #expect(stale.keys.count == 1 && !stale.keys.isEmpty && stale.contains("a") && !stale.contains("b"))
    #expect(!stale.remove("b"))
    #expect(stale.keys.count == 1)
    #expect(stale.remove("a"))
    #expect(stale.keys.isEmpty && !stale.contains("a"))
  }

  @Test func `what began before the failed write, or with it, makes nothing whole`() {
    let stale = Keys(limit: 10)
    #expect(stale.insert("a", at: 5) == .added)
    #expect(!stale.remove("a", begunAt: 4))
    #expect(!stale.remove("a", begunAt: 5))
    #expect(stale.contains("a"))
    #expect(stale.insert("a", at: 7) == .known)
    #expect(!stale.remove("a", begunAt: 6))
    #expect(stale.remove("a", begunAt: 8))
    #expect(stale.keys.isEmpty)
  }

  @Test func `a key beyond the limit is not taken`() {
    let stale = Keys(limit: 2)
    #expect(stale.insert("a") == .added)
    #expect(stale.insert("b") == .added)
    #expect(stale.insert("b") == .known, "a key that is known already takes no further room")
    #expect(stale.insert("c") == .full)
    #expect(stale.keys.count == 2 && !stale.contains("c"))
    stale.keys.isDistrusted = true
    #expect(stale.contains("never seen") && !stale.isKnown("never seen"))
    stale.keys.removeAll()
    #expect(!stale.keys.isEmpty && stale.keys.count == 0, "who distrusts it has to trust it again")
    let none = Keys(limit: 0)
    #expect(none.keys.isEmpty && none.insert("a") == .full)
  }

  @Test func `a key that is stale on both stores became so on one of them first`() {
    let (stale, other) = (Keys(limit: 10), Keys(limit: 10))
    for (key, since) in [("later", 5), ("earlier", 3), ("alone", 9)] as [(String, Int64)] {
      stale.insert(key, since: since)
    }
    #expect(stale.keys.becameStale(after: other.keys) == [])
    other.insert("later", since: 4)
    other.insert("earlier", since: 4)
    #expect(stale.keys.becameStale(after: other.keys) == [Array("later".utf8)])
    #expect(other.keys.becameStale(after: stale.keys) == [Array("earlier".utf8)])
    stale.insert("earlier", since: 7)
    // Another failed write makes it no younger.
    #expect(stale.keys.mark(of: Array("earlier".utf8))?.sinceMilliseconds == 3)
  }

  @Test func `a key whose writes no client knows of lacks none`() {
    let stale = Keys(limit: 10)
    let lacksWrites = { (key: String) in stale.keys.lacksWrites(of: Array(key.utf8).span) }
    stale.insert("k", .mayHaveMore)
    #expect(stale.isKnown("k") && !lacksWrites("k") && !lacksWrites("other"))
    #expect(stale.insert("k", .mayHaveMore) == .known)
    #expect(stale.insert("k", .lost) == .worsened)
    #expect(lacksWrites("k"))
    #expect(stale.insert("k", .mayHaveMore) == .known)
    #expect(lacksWrites("k"), "it lacks the earlier write still")
    stale.insert("l", .defaultUnknown)
    #expect(stale.isKnown("l") && !lacksWrites("l"))
    #expect(stale.insert("l", .mayHaveMore) == .known)
    #expect(stale.insert("l", .lost) == .worsened)
    #expect(lacksWrites("l"))
    stale.keys.isDistrusted = true
    #expect(lacksWrites("other"))
  }

  @Test func `the list has those that became stale first`() {
    let stale = Keys(limit: 10)
    for time in [5, 3, 9, 1] as [Int64] {
      stale.insert("k\(time)", since: time)
    }
    #expect(Set(stale.keys.list(database: 7, limit: 2).map(\.sinceMilliseconds)) == [1, 3])
    #expect(stale.keys.list(database: 7).count == 4 && stale.keys.list(database: 7, limit: 0).isEmpty)
    #expect(stale.keys.list(database: 7, limit: 1).first?.database == 7 && stale.keys.oldestMilliseconds == 1)
  }

  @Test func `the key that has been stale for longest is copied first, and one at a time`() {
    let stale = Keys(limit: 10)
    for key in ["c", "a", "b"] { #expect(stale.insert(key) == .added) }
    // A write that fails again does not move it to the end.
    #expect(stale.insert("c", at: 9) == .known)
    #expect(stale.remove("a"))
    #expect(stale.takeNext() == "c")
    #expect(stale.insert("c", at: 10) == .known)
    #expect(stale.takeNext() == "b")
    #expect(stale.takeNext() == nil && !stale.keys.hasNext)
    stale.keys.giveBack(Array("c".utf8), hasFailed: false, now: 11)
    #expect(stale.takeNext() == "c")
  }

  @Test func `a key that could not be copied is left alone for a while, until the store is back`() {
    let stale = Keys(limit: 10)
    #expect(stale.insert("a") == .added)
    #expect(stale.takeNext() != nil)
    stale.keys.giveBack(Array("a".utf8), hasFailed: true, now: 100)
    stale.keys.resumePostponed(now: 99 + StaleKeys.retryPause)
    #expect(stale.takeNext() == nil)
    stale.keys.resumePostponed(now: 100 + StaleKeys.retryPause)
    #expect(stale.takeNext() == "a")
    stale.keys.giveBack(Array("a".utf8), hasFailed: true, now: 200)
    stale.keys.retryAll()
    #expect(stale.takeNext() == "a")
  }

  @Test func `a key that is whole, and stale once more, is copied once`() {
    let stale = Keys(limit: 10)
    for round in 0..<1000 {
      #expect(stale.insert("a", at: UInt64(round)) == .added)
      #expect(stale.remove("a", begunAt: UInt64(round + 1)))
    }
    #expect(stale.insert("a", at: 5000) == .added)
    #expect(stale.takeNext() != nil && stale.takeNext() == nil)
    // A copy that was under way when the key became whole is nobody's business any more.
    #expect(stale.remove("a", begunAt: 6000) && stale.insert("a", at: 7000) == .added)
    stale.keys.giveBack(Array("a".utf8), hasFailed: false, now: 8000)
    #expect(stale.takeNext() != nil && stale.takeNext() == nil)
  }

  @Test func `their names are bounded in bytes as well`() {
    var keys = StaleKeys(limit: 1_000)
    func insert(_ name: [UInt8]) -> StaleKeys.Marking { keys.insert(name, at: 0, sinceMilliseconds: 0, .timeout) }
    func large(_ number: Int) -> [UInt8] { Array(repeating: UInt8(number), count: 1 << 20) }
    let outcomes = (0..<StaleKeys.maxBytes >> 20).map { insert(large($0)) }
    #expect(outcomes.allSatisfy { $0 == .added })
    var outcome = insert([1])
    #expect(outcome == .full)
    let isRemoved = keys.remove(large(3).span, begunAt: 1)
    outcome = insert([1])
    #expect(isRemoved && outcome == .added)
    keys.removeAll()
    outcome = insert(large(3))
    #expect(outcome == .added)
  }
}

@Suite("Stale keys that are repaired by writes")
struct RepairedStaleKeysTests {
  @Test func `leave no work behind when none is left`() {
    var stale = StaleKeys(limit: 10)
    for key in ["a", "b"] { stale.insert(key) }
    let taken = stale.takeNext()
    #expect(taken == Array("a".utf8))
    stale.giveBack(Array("a".utf8), hasFailed: true, now: 1)
    for key in ["a", "b"] {
      let wasStale = stale.remove(Array(key.utf8).span, begunAt: .max)
      #expect(wasStale)
    }
    #expect(!stale.hasNext)
    stale.retryAll()
    #expect(!stale.hasNext && stale.isEmpty)
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
    #expect(inFlight.mayBeginOnce(isHurried: true))
    inFlight.received(bytes: KeyPace.maxBytes)
    #expect(!inFlight.mayBeginOnce(isHurried: true))
    inFlight.ended(bytes: KeyPace.maxBytes)
    #expect(inFlight.mayBeginOnce(isHurried: false))
  }

  @Test func `it tells how long the rate lets nothing begin`() throws {
    var pace = KeyPace(keysPerSecond: 10)
    let before = pace.pause(now: 1)
    pace.began()
    let meanwhile = try #require(pace.pauseOnce(now: 1))
    let after = pace.pauseOnce(now: 1 + 100_000_001)
    #expect(before == nil && after == nil)
    #expect(meanwhile > .milliseconds(99) && meanwhile < .milliseconds(101))
  }
}

extension KeyPace {
  fileprivate func pauseOnce(now: UInt64) -> Duration? {
    var copy = self
    return copy.pause(now: now)
  }

  fileprivate func mayBeginOnce(isHurried: Bool) -> Bool {
    var copy = self
    return copy.mayBegin(now: 60_000_000_000, isHurried: isHurried)
  }
}
