internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Settled checks")
struct SettledCheckTests {
  private func instance(primaryAsDefault: Bool = false, delay: Duration = .seconds(2)) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) {
      $0.settledChecksPerSecond = 1_000
      $0.settledCheckDelay = delay
      $0.keysPerSecond = 1_000
    }
  }

  private func outcomes(_ instance: Instance, _ outcome: String) -> Int64 {
    instance.count(MultiStoreMetrics.settledChecks, ["outcome": outcome]) ?? 0
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `find what differs once it is quiet, and mend it`(other: StoreRole) throws {
    // No key may be compared before the other client has changed it.
    let instance = try instance(primaryAsDefault: other == .secondary, delay: .seconds(6))
    let lines = ["SET s v", "RPUSH l a b", "SADD m a", "HSET h f v", "ZADD z 1 a", "XADD x 1-1 f v", "SET gone v"]
    for line in lines { _ = try instance.execute(line) }
    // Another client writes to the store, past the instance.
    let direct = instance.client(other)
    for line in ["SET s w", "RPUSH l c", "SREM m a", "PEXPIRE h 100000", "ZADD z 2 a", "XADD x 2-1 f v"] {
      _ = try direct.command(words(line))
    }
    _ = try instance.execute("DEL gone")
    try direct.command("SET", "gone", "back")
    try instance.run { [database = instance.database] in
      database.quietKeys.count == 0 && self.outcomes(instance, "different") == 7
    }
    try instance.run { [database = instance.database] in database.store(other).stale.isEmpty }
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
    // What was mended is compared once more.
    try instance.run { self.outcomes(instance, "equal") == 7 }
    #expect(instance.database.quietKeys.count == 0)
  }

  @Test func `find nothing where nothing differs`() throws {
    let instance = try instance()
    for number in 0..<50 {
      _ = try instance.execute("SET s\(number) v EX 1000", "INCRBYFLOAT f\(number) 0.1", "ZINCRBY z\(number) 0.1 m")
    }
    try instance.run { self.outcomes(instance, "equal") == 150 }
    #expect(outcomes(instance, "different") == 0)
    #expect(instance.count(MultiStoreMetrics.uncheckedKeys) == 0)
  }

  @Test func `compare keys that are quiet at the same time in few calls`() throws {
    let instance = try instance()
    // Written one after the other, as clients do, so that each is due at another moment. Until all are written, a round
    // begins every tenth of a second: the limit below permits 50 ms for each write.
    for number in 0..<600 { _ = try instance.execute("SET s\(number) v") }
    try instance.run { self.outcomes(instance, "equal") == 600 }
    for store in StoreRole.allCases {
      let statistics = try #require(try instance.client(store).command("INFO", "commandstats").string)
      let calls = try #require(statistics.firstMatch(of: /cmdstat_evalsha:calls=(\d+)/).flatMap { Int($0.1) })
      #expect(calls < 300, "of \(store)")
    }
  }

  @Test func `that mend nothing make a verification void`() throws {
    let instance = try Instance {
      $0.settledChecksPerSecond = 1_000
      $0.settledCheckDelay = .seconds(2)
      $0.healsSettledDifferences = false
    }
    instance.multiStore.instance.verified(defaultStore: .secondary)
    _ = try instance.execute("SET s v")
    try instance.primary.command("SET", "s", "w")
    #expect(instance.multiStore.status.verifiedMilliseconds != nil)
    try instance.run { self.outcomes(instance, "different") == 1 }
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
    #expect(try instance.primary.command("GET", "s").string == "w")
  }
}

@Suite("Rounds of settled checks")
struct CheckRoundsTests {
  @Test(arguments: [(1, 1, 1), (15, 1, 15), (1_000, 100, 10), (50_000, 1_024, 48)])
  func `full ones follow each other at the rate`(rate: Int, size: Int, expected: Int) {
    var rounds = CheckRounds(keysPerSecond: rate)
    #expect(rounds.size == size)
    var begun = 0
    for tenth in 0..<10_000 where rounds.mayBegin(now: UInt64(tenth) * 100_000) {
      rounds.began(size, now: UInt64(tenth) * 100_000)
      _ = rounds.ended(now: UInt64(tenth) * 100_000)
      begun += 1
    }
    #expect(abs(begun - expected) <= 1)
  }

  @Test func `one at a time, and one that is not full waits for more keys`() {
    var rounds = CheckRounds(keysPerSecond: 1_000)
    rounds.began(1, now: 0)
    #expect(!rounds.mayBegin(now: 1_000_000_000))
    let pause = rounds.ended(now: 40_000_000)
    #expect(pause == .milliseconds(60))
    #expect(!rounds.mayBegin(now: 99_000_000))
    #expect(rounds.mayBegin(now: 100_000_000))
    rounds.began(100, now: 100_000_000)
    let late = rounds.ended(now: 500_000_000)
    #expect(late == .zero)
  }
}
