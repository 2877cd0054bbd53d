internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Differences that are looked at once more")
struct DiffRecheckTests {
  private static func instance(primaryAsDefault: Bool = false) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) { $0.recheckDiffs = true }
  }

  private static func outcomes(_ instance: Instance) -> [RecheckOutcome: Int64] {
    let counts = RecheckOutcome.allCases.map { outcome in
      (outcome, instance.count(MultiStoreMetrics.rechecks, ["outcome": outcome.rawValue]) ?? -1)
    }
    return Dictionary(uniqueKeysWithValues: counts).filter { $0.value != 0 }
  }

  /// Waits until all that was to be compared once more was.
  private static func settle(_ instance: Instance, _ count: Int64) throws {
    try instance.run { outcomes(instance).values.reduce(0, +) == count }
  }

  @Test("What differs still is persistent, and logged with both replies", arguments: [BatchKind.pipelined, .multi])
  func persistent(kind: BatchKind) throws {
    for primaryAsDefault in [false, true] {
      let instance = try Self.instance(primaryAsDefault: primaryAsDefault)
      try instance.primary.command("MSET", "a", "new", "b", "1")
      try instance.secondary.command("MSET", "a", "old value", "b", "1")
      let begin = instance.multiStore.loop.now
      try instance.execute("GET a", "GET b", "STRLEN a", as: kind)
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1)
      try Self.settle(instance, 2)
      let waited = Duration.nanoseconds(Int64(instance.multiStore.loop.now - begin))
      #expect(waited >= DiffRechecks.delay, "not before the delay")
      #expect(Self.outcomes(instance) == [.persistent: 2])
      for (command, count) in [("get", 1), ("strlen", 1), ("hget", 0)] {
        #expect(instance.count(MultiStoreMetrics.persistentDiff, ["command": command]) == Int64(count))
      }
      let event = try #require(instance.events("MultiStore::PersistentDiffError").first)
      #expect(event["extra.command_name"] == "get")
      let message = try #require(event["message"])
      let expected = /A read .* from the primary: string of 3 bytes .* from the secondary: string of 9 bytes .*\./
      #expect(message.wholeMatch(of: expected) != nil, "\(message)")
    }
  }

  @Test("What has become equal was no difference that lasts")
  func resolved() throws {
    let instance = try Self.instance()
    try instance.primary.command("SET", "k", "new")
    try instance.secondary.command("SET", "k", "old")
    try instance.execute("GET k", "GET k")
    try instance.primary.command("SET", "k", "old")
    try Self.settle(instance, 2)
    #expect(Self.outcomes(instance) == [.resolved: 2])
    #expect(instance.count(MultiStoreMetrics.persistentDiff) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1)
  }

  @Test("Writes that never stop are no difference: the read has one place among them on both stores")
  func underWrites() throws {
    let instance = try Self.instance()
    try instance.primary.command("SET", "k", "different")
    for round in 0..<3 {
      try instance.primary.command("SET", "k", "different")
      let pipeline = instance.begin("GET k", "GET k")
      try instance.run { pipeline.isDone }
      var number = 0
      var writes: [Sink] = []
      try instance.run {
        writes.removeAll(where: \.isDone)
        while writes.count < 20 {
          number += 1
          writes.append(instance.begin(number.isMultiple(of: 3) ? "INCR k" : "SET k \(number)"))
        }
        return Self.outcomes(instance).values.reduce(0, +) == 2 * (round + 1) && number > 100
      }
      try instance.run { writes.allSatisfy(\.isDone) }
    }
    #expect(Self.outcomes(instance) == [.resolved: 6])
  }

  @Test("What differs is compared as the configuration says", arguments: ReplyComparison.allCases)
  func comparison(_ comparison: ReplyComparison) throws {
    let instance = try Instance {
      $0.recheckDiffs = true
      $0.comparison = comparison
    }
    let members = (0..<300).map { "m\($0)" }
    try instance.primary.command(["SADD", "s"] + members)
    try instance.secondary.command(["SADD", "s"] + members.reversed())
    try instance.secondary.command("SET", "k", "v")
    try instance.execute("SMEMBERS s", "GET k")
    try Self.settle(instance, comparison == .exact ? 2 : 1)
    #expect(instance.count(MultiStoreMetrics.persistentDiff, ["command": "smembers"]) == (comparison == .exact ? 1 : 0))
    #expect(instance.count(MultiStoreMetrics.persistentDiff, ["command": "get"]) == 1)
  }

  @Test("Writes are not repeated to look at them again")
  func writes() throws {
    let instance = try Self.instance()
    try instance.primary.command("SET", "n", "5")
    try instance.execute("INCR n", "GET absent")
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1)
    try instance.secondary.command("SET", "k", "v")
    try instance.execute("GET k", "GET absent")
    try Self.settle(instance, 1)
    #expect(try instance.primary.command("GET", "n") == .text("6"))
    #expect(instance.count(MultiStoreMetrics.persistentDiff) == 1)
  }

  @Test("A key that is copied, or changed over another connection, is asked again, and left alone in the end")
  func disturbed() throws {
    let instance = try Self.instance()
    try instance.secondary.command("SET", "k", "v")
    let rechecks = try #require(instance.database.rechecks)
    let (other, key) = (Array("other".utf8), Array("k".utf8))
    let (elsewhere, here) = (encoded("MGET l m"), encoded("MGET l k"))
    for (round, attempts) in [(1, 1), (2, DiffRechecks.maxAttempts)] {
      try instance.execute("GET k", "GET absent")
      for attempt in 1...attempts {
        instance.primaryServer.pause()
        try instance.run { rechecks.current?.attempts == attempt }
        rechecks.noteChange(of: other.span)
        rechecks.noteChange(ofKeysIn: elsewhere.span, CommandTable.spec(.mget))
        if attempt == 1 { rechecks.noteChange(of: key.span) }
        if attempt > 1 { rechecks.noteChange(ofKeysIn: here.span, CommandTable.spec(.mget)) }
        instance.primaryServer.resume()
        try instance.run { rechecks.current == nil }
      }
      try Self.settle(instance, Int64(round))
    }
    #expect(Self.outcomes(instance) == [.gap: 1, .disturbed: 1])
  }

  @Test("After a flip of the flags, or without a store, nothing is said about it")
  func abandoned() throws {
    let instance = try Self.instance()
    try instance.secondary.command("SET", "k", "v")
    try instance.execute("GET k", "GET absent")
    instance.multiStore.flags.exchange(FlagState(dualWrite: false, primaryAsDefault: false))
    try Self.settle(instance, 1)
    instance.multiStore.flags.exchange(FlagState(dualWrite: true, primaryAsDefault: false))
    try instance.execute("GET k", "GET absent")
    try instance.takeDown(.primary)
    try Self.settle(instance, 2)
    #expect(Self.outcomes(instance) == [.abandoned: 2])
  }

  @Test("Only so many wait, of bounded length; the others are counted")
  func overflow() throws {
    let instance = try Self.instance()
    try instance.secondary.command("SET", "k", "v")
    let long = String(repeating: "x", count: DiffRechecks.longestCommand)
    try instance.secondary.command("SET", long, "v")
    let pipeline = Sink()
    let batch = instance.multiStore.makeBatch()
    for _ in 0..<DiffRechecks.limit + 5 { batch.append(arguments: [Array("GET".utf8), Array("k".utf8)]) }
    batch.append(arguments: [Array("GET".utf8), Array(long.utf8)])
    let routing = try #require(instance.multiStore.routing(orNotify: pipeline))
    instance.multiStore.execute(batch, as: .pipelined, routing: routing, for: pipeline)
    try instance.run { pipeline.isDone }
    let count = Int64(DiffRechecks.limit + 6)
    try Self.settle(instance, count)
    let outcomes = Self.outcomes(instance)
    // If the last replies come later than the delay, the first read has left its place to another one.
    let overflow = try #require(outcomes[.overflow])
    #expect((5...6).contains(overflow))
    #expect(outcomes == [.overflow: overflow, .gap: count - overflow])
  }

  /// A key, what each store has of it, and reads with what becomes of them: by their replies at once, and when both
  /// stores were asked for the key.
  private static let kinds: [(new: String, old: String, read: String, atOnce: DiffKind, later: DiffKind)] = [
    ("PING", "SET k v", "GET k", .gap, .gap), ("PING", "SET k v EX 500", "TTL k", .gap, .gap),
    ("PING", "RPUSH k a", "TYPE k", .gap, .gap), ("PING", "RPUSH k a", "LRANGE k 0 -1", .gap, .gap),
    ("PING", "MSET k 1 l 2", "MGET k l", .gap, .gap), ("SET k 1", "MSET k 1 l 2", "MGET k l", .gap, .gap),
    ("SET k 9", "MSET k 1 l 2", "MGET k l", .mismatch, .mismatch),
    ("SET k 9", "SET k 1", "GET k", .mismatch, .mismatch),
    ("SET l 2", "MSET k 1 l 2", "EXISTS k l", .gap, .gap), ("SET k 1", "PING", "GET k", .mismatch, .mismatch),
    ("PING", "HSET k f 1", "HMGET k f g", .gap, .gap),
    ("HSET k f 1", "HSET k f 1 g 2", "HMGET k f g", .mismatch, .mismatch),
    // The reply does not show whether the key is absent, or a part of it.
    ("HSET k g 1", "HSET k f 1 g 1", "HGET k f", .gap, .mismatch),
    ("SADD k a", "SADD k a b", "SISMEMBER k b", .gap, .mismatch),
    // The reply does not show that one of several keys is absent.
    ("SADD k a", "SADD l b", "SUNION k l", .mismatch, .mismatch), ("SADD l b", "BOTH", "SUNION k l", .mismatch, .gap),
  ]

  @Test(
    "A key that the other store lacks is a gap, anything else is a mismatch",
    arguments: [BatchKind.pipelined, .multi]
  )
  func gaps(kind: BatchKind) throws {
    for (new, old, read, atOnce, later) in Self.kinds {
      let instance = try Self.instance()
      try instance.primary.command(words(new))
      let setup = old == "BOTH" ? ["SADD l b", "SADD k a"] : [old]
      for line in setup { try instance.secondary.command(words(line)) }
      try instance.execute(read, "GET absent", as: kind)
      let labels = ["kind": atOnce.rawValue]
      #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1, "\(read)")
      #expect(instance.count(MultiStoreMetrics.differingPipelines, labels) == 1, "\(read)")
      #expect(instance.count(MultiStoreMetrics.differingPipelines) == 1, "\(read)")
      #expect(instance.count(MultiStoreMetrics.differingReplies, labels) == 1, "\(read)")
      let event = try #require(instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError").first)
      #expect(event["extra.first_differing_kind"] == atOnce.rawValue)
      #expect(event["extra.missing_elements"] == (atOnce == .gap ? "1" : "0"))
      try Self.settle(instance, 1)
      #expect(Self.outcomes(instance) == [later == .gap ? .gap : .persistent: 1], "\(read)")
      #expect(instance.count(MultiStoreMetrics.persistentDiff, ["kind": later.rawValue]) == 1, "\(read)")
      #expect(instance.count(MultiStoreMetrics.persistentDiff) == 1)
      #expect(instance.events("MultiStore::PersistentDiffError").count == (later == .gap ? 0 : 1), "\(read)")
    }
  }

  @Test("A write that finds the key on the default store alone is a gap", arguments: [BatchKind.pipelined, .multi])
  func writtenGaps(kind: BatchKind) throws {
    for line in ["GETSET k w", "GETDEL k", "SET k w GET", "DEL k absent", "UNLINK k"] {
      for (value, expected) in [(nil, DiffKind.gap), ("other", .mismatch)] as [(String?, DiffKind)] {
        let instance = try Instance()
        try instance.secondary.command("SET", "k", "v")
        if let value { try instance.primary.command("MSET", "k", value, "absent", "v") }
        if value != nil, line.hasPrefix("UNLINK") { continue }
        try instance.execute(line, "GET nothing", as: kind)
        #expect(instance.count(MultiStoreMetrics.differingPipelines, ["kind": expected.rawValue]) == 1, "\(line)")
        #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 1, "\(line)")
      }
    }
  }

  @Test("It has to be asked for")
  func off() throws {
    let instance = try Instance()
    #expect(instance.database.rechecks == nil)
    #expect(instance.count(MultiStoreMetrics.rechecks) == nil)
    #expect(instance.count(MultiStoreMetrics.persistentDiff) == nil)
  }
}
