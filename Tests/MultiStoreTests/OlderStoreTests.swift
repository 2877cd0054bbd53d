internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// What a new store of a later version changes reaches an old one that can't read its dumps.
@Suite("An older store", .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
struct OlderStoreTests {
  /// What makes a key `k` of each type.
  private static let keys = [
    "SET k 41", "RPUSH k a b a", "SADD k a b 1", "SADD k 1 2 3", "HSET k f 1 g 2", "ZADD k 1 a inf b -2.5 c",
    "XADD k 5-1 f v g w", "PFADD k a b c", "SETBIT k 77 1", "GEOADD k 3 4 here",
  ]

  private func instance() throws -> Instance {
    try Instance(primaryAsDefault: true, primaryBinary: .valkey)
  }

  /// Whether both stores hold the same under `k`, up to the very moment at which it expires.
  private func isSame(_ instance: Instance) throws -> Bool {
    let questions = [["TYPE", "k"], ["DEBUG", "DIGEST-VALUE", "k"], ["PEXPIRETIME", "k"]]
    return try questions.allSatisfy { try instance.primary.command($0) == instance.secondary.command($0) }
  }

  @Test("gets whole keys of each type", arguments: [BatchKind.pipelined, .multi])
  func types(kind: BatchKind) throws {
    let instance = try instance()
    for (number, key) in Self.keys.enumerated() {
      for expires in [false, true] {
        try instance.both("FLUSHALL")
        try instance.primary.command(words(key))
        if expires { try instance.primary.command("PEXPIRE", "k", "123456") }
        // What is there is no part of the key.
        try instance.secondary.command("SET", "k", "old")
        try instance.execute("SET a v", "COPY k b", "RENAME b k", as: kind)
        #expect(try isSame(instance), "\(key)")
        #expect(instance.count(MultiStoreMetrics.keyCopies) == Int64(2 * (2 * number + (expires ? 2 : 1))))
      }
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.database.secondary.stale.isEmpty)
  }

  @Test("gets writes that change a part of a key")
  func parts() throws {
    let instance = try instance()
    for line in ["INCR k", "INCR k", "EXPIRE k 100", "DEL k", "RPUSH k a b", "LPOP k", "DEL k", "HSET k f v"] {
      try instance.execute(line)
      #expect(try isSame(instance), "\(line)")
    }
    // One for each key that was not there.
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 3)
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
  }

  @Test("gets keys that have more elements than a command should have")
  func large() throws {
    let instance = try instance()
    let numbers = (0..<2501).map(String.init).joined(separator: " ")
    let pairs = (0..<2501).map { "\($0) m\($0)" }.joined(separator: " ")
    for line in ["RPUSH k \(numbers)", "SADD k \(numbers)", "HSET k \(pairs)", "ZADD k \(pairs)"] {
      try instance.both("FLUSHALL")
      try instance.execute(line)
      #expect(try isSame(instance), "\(line.prefix(10))")
    }
  }

  @Test("gets a stream with its groups, consumers, what is pending and what was counted")
  func streams() throws {
    let instance = try instance()
    for line in [
      "XADD k 1-1 f v", "XADD k 2-1 f v", "XADD k 3-1 f v", "XGROUP CREATE k g 0", "XGROUP CREATE k h $",
      "XGROUP CREATECONSUMER k g idle", "XREADGROUP GROUP g c COUNT 2 STREAMS k >", "XDEL k 3-1 1-1",
    ] {
      try instance.primary.command(words(line))
    }
    func described(_ client: RESPClient) throws -> [RESPReply] {
      try ["XPENDING k g - + 10", "XPENDING k h"].map { line in
        let reply = try client.command(words(line))
        // How long entries have been pending goes on.
        guard let entries = reply.elements, entries.first?.elements != nil else { return reply }
        return .array(entries.map { .array([$0.elements![0], $0.elements![1], $0.elements![3]]) })
      }
    }
    func information(_ client: RESPClient) throws -> [String: RESPReply] {
      let list = try client.command("XINFO", "STREAM", "k").elements ?? []
      let names = ["length", "last-generated-id", "max-deleted-entry-id", "entries-added", "groups"]
      let pairs = stride(from: 0, to: list.count - 1, by: 2).map { (list[$0].string ?? "", list[$0 + 1]) }
      return Dictionary(pairs) { $1 }.filter { names.contains($0.key) }
    }
    try instance.execute("COPY k other", "RENAME other k", as: .pipelined)
    #expect(try isSame(instance))
    #expect(try described(instance.primary) == described(instance.secondary))
    #expect(try information(instance.primary) == information(instance.secondary))
    #expect(try information(instance.primary).count == 5)
    try instance.both("DEL k")
    try instance.execute("XGROUP CREATE k g $ MKSTREAM")
    #expect(try information(instance.primary) == information(instance.secondary))
  }

  @Test("has nothing of what it can't hold, and that is counted")
  func impossible() throws {
    let instance = try instance()
    try instance.primary.command("HSET", "k", "f", "v")
    try instance.primary.command("HPEXPIRE", "k", "100000", "FIELDS", "1", "f")
    try instance.secondary.command("SET", "k", "old")
    try instance.execute("COPY k b", "RENAME b k", as: .pipelined)
    #expect(try instance.secondary.command("EXISTS", "k") == .integer(0))
    #expect(instance.database.secondary.stale.contains("k"))
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["store": "secondary", "reason": "error_reply"]) == 1)
  }

  @Test("gets writes that come while a key is copied once and in order")
  func order() throws {
    let instance = try instance()
    var sinks: [Sink] = []
    for number in 0..<200 {
      sinks.append(instance.begin("INCR n"))
      if number.isMultiple(of: 10) { sinks.append(instance.begin("DEL m", "INCR m", "INCR n")) }
      // Some come together, others while a key is being copied.
      guard number.isMultiple(of: 7) else { continue }
      try instance.run { [database = instance.database] in
        !database.store(.secondary).keysBeingCopied.isEmpty || sinks.allSatisfy(\.isDone)
      }
    }
    try instance.run { sinks.allSatisfy(\.isDone) }
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("MGET", "n", "m") == .array([.text("220"), .text("1")]))
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
  }
}
