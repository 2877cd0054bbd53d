internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Settled checks")
struct SettledCheckTests {
  private func instance(primaryAsDefault: Bool = false) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) {
      $0.settledChecksPerSecond = 1_000
      $0.keysPerSecond = 1_000
    }
  }

  private func outcomes(_ instance: Instance, _ outcome: String) -> Int64 {
    instance.count(MultiStoreMetrics.settledChecks, ["outcome": outcome]) ?? 0
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `find what differs once it is quiet, and mend it`(other: StoreRole) throws {
    let instance = try instance(primaryAsDefault: other == .secondary)
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
}
