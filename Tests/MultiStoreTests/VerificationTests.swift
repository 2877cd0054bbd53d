internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Verification")
struct VerificationTests {
  private func instance(primaryAsDefault: Bool = false) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) { $0.keysPerSecond = 10_000 }
  }

  /// Runs a verification to its end.
  private func run(_ instance: Instance, _ change: (inout KeyJobRequest) -> Void = { _ in }) throws -> KeyJobProgress {
    var request = KeyJobRequest(.verify)
    request.rate = 100_000
    change(&request)
    let core = instance.multiStore.instance
    try core.startJob(request, who: "test")
    try instance.run { core.jobProgress.allSatisfy { $0.state.hasEnded } }
    return try #require(core.jobProgress.first { $0.request.kind == .verify })
  }

  private static let lines = [
    "SET s v", "SET t v EX 1000", "RPUSH l a b", "SADD m a b", "HSET h f v g w", "ZADD z 1 a 2 b", "XADD x 1-1 f v",
    "SET type v", "SET gone v", "SET e v EX 1000",
  ]

  @Test func `of equal stores finds nothing`() throws {
    let instance = try instance()
    for line in Self.lines { _ = try instance.execute(line) }
    let progress = try run(instance)
    #expect(progress.state == .ended(.complete) && progress.differences == 0)
    #expect(progress.count(.equal) == Self.lines.count && progress.scannedKeys == 2 * Self.lines.count)
    #expect(instance.multiStore.status.verifiedMilliseconds != nil)
  }

  @Test(arguments: [StoreRole.primary, .secondary])
  func `finds each kind of difference, and has it mended`(other: StoreRole) throws {
    let instance = try instance(primaryAsDefault: other == .secondary)
    for line in Self.lines { _ = try instance.execute(line) }
    let direct = instance.client(other)
    let changes = [
      "SET s w", "LSET l 1 c", "SADD m c", "HDEL h g", "ZADD z 3 b", "XADD x 2-1 f v", "DEL type", "RPUSH type a",
      "DEL gone", "SET extra v", "EXPIRE e 5000", "PERSIST t",
    ]
    for line in changes { _ = try direct.command(words(line)) }
    let found = try run(instance)
    #expect(found.state == .ended(.incomplete))
    #expect(found.counts == [.value: 6, .type: 1, .missing: 1, .extra: 1, .expiry: 2])
    #expect(Set(found.findings.map { String(decoding: $0.key, as: UTF8.self) }).count == 11)
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
    let healed = try run(instance) { $0.heals = true }
    #expect(healed.state == .ended(.complete) && healed.differences == 11 && healed.count(.healed) == 11)
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
    #expect(try run(instance).differences == 0)
    #expect(instance.multiStore.status.verifiedMilliseconds != nil)
  }

  /// Of all keys, or of some.
  @Test(arguments: [nil, "s*"])
  func `with a difference makes an earlier one without any void`(pattern: String?) throws {
    let instance = try instance()
    try instance.both("SET s v")
    #expect(try run(instance).state == .ended(.complete))
    #expect(instance.multiStore.status.verifiedMilliseconds != nil)
    try instance.primary.command("SET", "s", "w")
    let progress = try run(instance) { $0.pattern = pattern }
    #expect(progress.differences == 1 && !progress.isVoid)
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }

  @Test func `brings back trust, unless something happens meanwhile`() throws {
    let instance = try instance()
    for line in Self.lines { _ = try instance.execute(line) }
    let core = instance.multiStore.instance
    let family = core.family(.primary)
    family.distrust(because: .uncleanStop, now: 1)
    #expect(try run(instance) { $0.pattern = "s" }.state == .ended(.complete))
    #expect(!family.trust.isTrusted, "not all keys were compared")
    #expect(try run(instance).state == .ended(.complete))
    #expect(family.trust.isTrusted && core.verifiedMilliseconds != nil)
    #expect(core.jobProgress.map(\.isVoid) == [false])
    family.distrust(because: .overflow, now: 1)
    #expect(core.verifiedMilliseconds == nil)
    #expect(core.jobProgress.map(\.isVoid) == [true], "the report says so")
    var request = KeyJobRequest(.verify)
    request.rate = 1
    try core.startJob(request, who: "test")
    try instance.run { core.jobProgress.contains { $0.scannedKeys > 0 && !$0.state.hasEnded } }
    family.distrust(because: .flushNotCopied, now: 2)
    try core.changeJob(.verify, .rate(100_000), who: "test")
    try instance.run { core.jobProgress.allSatisfy { $0.state.hasEnded } }
    #expect(!family.trust.isTrusted && core.verifiedMilliseconds == nil)
    #expect(core.jobProgress.map(\.isVoid) == [true], "its result was void when it ended")
  }

  /// As the runbook's way back does it.
  @Test func `is void after the other store was emptied while dual write was off`() throws {
    let instance = try instance()
    for line in Self.lines { _ = try instance.execute(line) }
    let core = instance.multiStore.instance
    _ = try run(instance)
    try core.startJob(KeyJobRequest(.backfill), who: "test")
    try instance.run { core.jobProgress.allSatisfy { $0.state.hasEnded } }
    func isBackfilled() -> Bool { core.jobProgress.contains(where: \.isBackfilled) }
    #expect(core.verifiedMilliseconds != nil && isBackfilled())
    func flip(dual: Bool) throws {
      _ = instance.multiStore.flags.exchange(FlagState(dualWrite: dual))
      try instance.run { core.routingState.flip.current.isDual == dual }
    }
    try flip(dual: false)
    try flip(dual: true)
    _ = try instance.execute("SET s v")
    #expect(core.verifiedMilliseconds != nil && isBackfilled(), "nothing was emptied")
    try flip(dual: false)
    try instance.primary.command("FLUSHDB")
    try flip(dual: true)
    _ = try instance.execute("SET fresh v")
    try instance.run { core.verifiedMilliseconds == nil }
    #expect(!isBackfilled())
  }

  @Test func `is not disturbed by clients that write meanwhile`() throws {
    let instance = try instance()
    for number in 0..<300 {
      _ = try instance.execute("SET k\(number) v", "RPUSH l\(number) a b", "HSET h\(number) f v")
    }
    for round in 0..<10 {
      var request = KeyJobRequest(.verify)
      request.rate = 20_000
      let core = instance.multiStore.instance
      try core.startJob(request, who: "test")
      var count = 0
      while !core.jobProgress.allSatisfy(\.state.hasEnded) {
        // The rate of a job falls while answers are late, as they are on a busy machine.
        if count.isMultiple(of: 10) { try core.changeJob(.verify, .rate(20_000), who: "test") }
        let number = count % 300
        _ = try instance.execute("SET k\(number) \(count)", "RPUSH l\(number) \(count)", "HINCRBY h\(number) n 1")
        _ = try instance.execute("INCR hot\(count % 3)", "DEL new\(count % 50)", "SADD new\((count + 7) % 50) m")
        count += 1
      }
      let progress = try #require(core.jobProgress.first)
      #expect(progress.state == .ended(.complete) && progress.differences == 0, "round \(round): \(progress.counts)")
    }
  }

  private static let changes = [
    "SETRANGE s 250000 X", "LSET l 900 X", "SREM m 5", "HSET h 700 X", "ZADD z 5 900", "XDEL x 1000-0", "EXPIRE s 5000",
  ]

  /// Makes keys of more than one piece, and as many small ones.
  private func fill(_ instance: Instance) throws {
    _ = try instance.execute("SETRANGE s 1500000 x")
    for first in stride(from: 0, to: 12_000, by: 500) {
      let items = (first..<first + 500).map(String.init)
      for line in [
        ["RPUSH", "l"] + items, ["SADD", "m"] + items, ["HSET", "h"] + items.flatMap { [$0, "v"] },
        ["ZADD", "z"] + items.flatMap { ["0.1", $0] },
      ] { _ = try instance.execute(line.joined(separator: " ")) }
    }
    for number in 1...1_200 { _ = try instance.execute("XADD x \(number)-0 f v") }
  }

  @Test(arguments: [true, false])
  func `compares in pieces what has no digest`(refusesScripts: Bool) throws {
    let instance = try instance()
    try fill(instance)
    if refusesScripts { try instance.primary.command("ACL", "SETUSER", "default", "-eval", "-evalsha") }
    let equal = try run(instance)
    #expect(equal.state == .ended(.complete) && equal.count(.equal) == 6, "\(equal.counts)")
    for line in Self.changes {
      try fill(instance)
      let client = instance.primary
      _ = try client.command(words(line))
      let progress = try run(instance)
      let difference: KeyJobResult = line.hasPrefix("EXPIRE") ? .expiry : .value
      #expect(progress.count(difference) == 1 && progress.differences == 1, "\(line): \(progress.counts)")
      try instance.primary.command("FLUSHALL")
      try instance.secondary.command("FLUSHALL")
    }
  }

  /// The store has refused them, and the next attempt of its own would be later than the verification.
  @Test func `begins when stale keys were tried to be copied once more`() throws {
    let instance = try instance()
    let primary = try #require(instance.database.primary)
    try instance.secondary.command("SET", "k", "new")
    try instance.primary.command("SET", "k", "old")
    try instance.primary.command("ACL", "SETUSER", "default", "-restore", "-del")
    primary.markStale(key: Array("k".utf8), because: .lost)
    try instance.run { !primary.stale.hasNext && !instance.multiStore.instance.keyQueue.isHealing(.primary) }
    #expect(primary.stale.count == 1)
    try instance.primary.command("ACL", "SETUSER", "default", "+restore", "+del")
    let progress = try run(instance)
    #expect(progress.state == .ended(.complete) && progress.counts == [.equal: 1], "\(progress.failures)")
  }

  /// Changes that the elements do not show, made on one store alone.
  private static let hiddenChanges = [
    "XSETID x 9-0", "XGROUP DESTROY x g", "XGROUP CREATE x h 0", "XGROUP SETID x g 0", "XGROUP CREATECONSUMER x g you",
    "XREADGROUP GROUP g me STREAMS x >", "XACK x g 1-0", "XCLAIM x g you 0 1-0",
    "HPEXPIREAT h 4000000000000 FIELDS 1 f", "HPERSIST h FIELDS 1 g", "HPEXPIREAT h 4000000000001 FIELDS 1 g",
  ]

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `in pieces is of groups and of the expiry of fields, too`() throws {
    let instance = try Instance(primaryBinary: .valkey, secondaryBinary: .valkey) { $0.keysPerSecond = 10_000 }
    let lines = [
      "DEL x h", "XADD x 1-0 f v", "XADD x 2-0 f v", "XADD x 3-0 f v", "XGROUP CREATE x g 0",
      "XREADGROUP GROUP g me COUNT 2 STREAMS x >", "HSET h f v g w", "HPEXPIREAT h 4000000000000 FIELDS 1 g",
    ]
    try instance.primary.command("ACL", "SETUSER", "default", "-eval", "-evalsha")
    for change in Self.hiddenChanges {
      for line in lines { try instance.both(line) }
      #expect(try run(instance).state == .ended(.complete))
      _ = try instance.primary.command(words(change))
      let progress = try run(instance)
      #expect(progress.counts == [.value: 1, .equal: 1], "\(change): \(progress.counts)")
    }
  }

  /// PFCOUNT writes its result into the string that it reads. The large string looks like a HyperLogLog where a piece
  /// begins.
  @Test(arguments: [true, false])
  func `does not compare what PFCOUNT writes`(refusesScripts: Bool) throws {
    let instance = try instance()
    for (key, count) in [("sparse", 3), ("dense", 5_000)] {
      let elements = (0..<count).map(String.init).joined(separator: " ")
      _ = try instance.execute("PFADD \(key) \(elements)")
    }
    try instance.both("SETRANGE large \(KeyPieces.bytes) HYLL")
    try instance.both("SETRANGE large 1500000 x")
    if refusesScripts { try instance.primary.command("ACL", "SETUSER", "default", "-eval", "-evalsha") }
    for key in ["sparse", "dense"] {
      try instance.secondary.command("PFCOUNT", key)
      #expect(try instance.primary.command("GET", key) != instance.secondary.command("GET", key))
    }
    let equal = try run(instance)
    #expect(equal.state == .ended(.complete) && equal.count(.equal) == 3, "\(equal.counts)")
    try instance.primary.command("PFADD", "dense", "a", "b", "c", "d")
    try instance.primary.command("SETRANGE", "large", "\(KeyPieces.bytes + 10)", "X")
    let progress = try run(instance)
    #expect(progress.count(.value) == 2 && progress.differences == 2, "\(progress.counts)")
  }

  /// Redis takes any moment that fits into 64 bits, and the sum with this process' clock may not fit.
  @Test func `compares keys that expire at the last moment that there is`() throws {
    let instance = try instance()
    _ = try instance.execute("SETRANGE s 1500000 x")
    try instance.both("PEXPIREAT s \(Int.max)")
    for _ in 0..<3 {
      let progress = try run(instance)
      #expect(progress.state == .ended(.complete) && progress.count(.equal) == 1)
    }
  }
}
