internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Digests of keys")
struct KeyDigestTests {
  /// A key of each type, and changes of which each makes another key.
  private static let keys: [(make: [String], changes: [String])] = [
    (["SET k value"], ["APPEND k x", "SETRANGE k 0 V", "PEXPIRE k 100000", "DEL k"]),
    (["RPUSH k a b a"], ["LSET k 1 c", "LPUSH k a", "RPOP k", "LMOVE k k LEFT RIGHT"]),
    (["SADD k a b 1", "SADD k 1 2 3"], ["SREM k a", "SADD k c"]),
    (["HSET k f 1 g 2"], ["HSET k f 2", "HDEL k g", "HSET k h ''"]),
    (["ZADD k 0.1 a inf b -2.5 c 1e300 d"], ["ZINCRBY k 1 a", "ZADD k 3 e", "ZREM k b"]),
    (
      ["XADD k 5-1 f v g w", "XGROUP CREATE k group 0", "XREADGROUP GROUP group me STREAMS k >", "XADD k 6-1 f v"],
      ["XADD k 7-1 f v", "XDEL k 6-1", "XACK k group 5-1", "XGROUP CREATECONSUMER k group you", "XGROUP CREATE k h 0"]
    ),
  ]

  private func digest(_ client: RESPClient, leastMoment: Int = 0) throws -> RESPReply {
    let reply = try client.command(["EVAL", KeyDigest.script, "1", "k"] + limits + ["\(leastMoment)"])
    return try #require(reply.elements?.first, "\(reply)")
  }

  private let limits = [KeyDigest.maxBytes, KeyDigest.maxElements, KeyDigest.maxBytesTogether].map(String.init)

  @Test func `of many keys come in one reply, which ends early where they are large`() throws {
    let server = try RedisServer()
    let client = try server.client()
    #expect(try client.command("SCRIPT", "LOAD", KeyDigest.script).string == "\(KeyDigest.sha1)")
    try client.command("SET", "a", "1")
    try client.command("SETRANGE", "b", "100000", "x")
    try client.command("SETRANGE", "c", "100000", "y")
    let reply = try client.command(["EVALSHA", "\(KeyDigest.sha1)", "4", "a", "b", "c", "d"] + limits + ["0"])
    #expect(reply.elements?.count == 3)
    let rest = try client.command(["EVALSHA", "\(KeyDigest.sha1)", "1", "d"] + limits + ["0"])
    #expect(rest.elements?.first?.elements?.first?.string == "none")
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `are the same on servers of each version, and different after a change`() throws {
    let clients = try [RedisServer(.redis), RedisServer(.valkey)].map { ($0, try $0.client()) }
    for key in Self.keys {
      for change in key.changes {
        var seen: [[RESPReply]] = []
        for (_, client) in clients {
          try client.command("DEL", "k")
          for line in key.make { expectNoError(try client.command(words(line)), line) }
          let before = try digest(client)
          expectNoError(try client.command(words(change)), change)
          seen.append([before, try digest(client)])
        }
        let texts = seen.map { $0.map { $0.elements?.prefix(3).map { "\($0)" } ?? [] } }
        #expect(texts[0] == texts[1], "\(key.make) \(change)")
        #expect(seen[0][0] != seen[0][1], "\(key.make) \(change)")
      }
    }
  }

  /// PFCOUNT writes its result into the string. That of few elements has another encoding.
  @Test(arguments: [3, 5_000])
  func `of HyperLogLogs do not change with PFCOUNT`(count: Int) throws {
    let server = try RedisServer()
    let client = try server.client()
    try client.command(["PFADD", "k"] + (0..<count).map { "\($0)" })
    let (before, contents) = (try digest(client), try client.command("GET", "k"))
    try client.command("PFCOUNT", "k")
    #expect(try digest(client) == before)
    #expect(try client.command("GET", "k") != contents)
    try client.command("PFADD", "k", "a", "b", "c", "d")
    #expect(try digest(client) != before)
    // No HyperLogLog, though it begins like one.
    try client.command("SET", "k", "HYLL, a text of more than 16 bytes")
    let text = try digest(client)
    try client.command("SETRANGE", "k", "10", "X")
    #expect(try digest(client) != text)
  }

  /// The servers are asked one after the other, and one of them may not have removed the field yet.
  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `of hashes are of the fields that do not expire too soon`() throws {
    let server = try RedisServer(.valkey)
    let client = try server.client()
    func digests(_ lines: String...) throws -> [RESPReply] {
      try client.command("DEL", "k")
      for line in lines { expectNoError(try client.command(words(line)), line) }
      return try [4_000_000_000_000, 4_000_000_000_001].map { try digest(client, leastMoment: $0) }
    }
    let expiring = try digests("HSET k f 1 g 2", "HPEXPIREAT k 4000000000000 FIELDS 1 f")
    let lasting = try digests("HSET k g 2")
    #expect(expiring[0] != lasting[0] && expiring[1] == lasting[1] && lasting[0] == lasting[1])
    let last = try digests("HSET k f 1", "HPEXPIREAT k 4000000000000 FIELDS 1 f")
    #expect(try last[0] != digests()[0] && last[1] == digests()[1])
  }

  @Test func `of large keys are not computed`() throws {
    let server = try RedisServer()
    let client = try server.client()
    try client.command("SETRANGE", "k", "2000000", "x")
    #expect(try digest(client).elements?[2].string == "large")
    try client.command("DEL", "k")
    try client.command(["RPUSH", "k"] + Array(repeating: "x", count: KeyDigest.maxElements + 1))
    #expect(try digest(client).elements?[2].string == "large")
  }

  /// One store has dropped it, and the clock of the other one is behind by more than a few seconds.
  @Test(arguments: [
    (100_000 + 5_000, KeyDigest.Comparison.different), (100_000 + 1_000, .expiring), (100_000 - 5_000, .expiring),
    (100_000 - 60_000, .different), (1, .different),
  ])
  func `are not about to expire for ever`(expiry: Int, expected: KeyDigest.Comparison) {
    let gone = KeyDigest(type: "none", size: 0, digest: "", expiry: -1)
    let there = KeyDigest(type: "string", size: 1, digest: "x", expiry: expiry)
    #expect(gone.compared(to: there, now: 100_000) == expected)
    #expect(there.compared(to: gone, now: 100_000) == expected)
  }

  private func expectNoError(_ reply: RESPReply, _ line: String) {
    #expect(reply.errorText == nil, "\(line)")
  }
}

@Suite("Digests and dumps of many keys")
struct KeySummaryTests {
  private let limits = [KeyDigest.maxBytes, KeyDigest.maxElements, KeyDigest.maxBytesTogether].map(String.init)

  private func summary(_ client: RESPClient, _ keys: [String], areShort: Bool = false) throws -> [RESPReply] {
    let command = ["EVALSHA", "\(KeySummary.sha1)", "\(keys.count)"] + keys + limits + ["0", areShort ? "1" : "0"]
    let reply = try client.command(command)
    return try #require(reply.elements, "\(reply)")
  }

  @Test func `change with each value, type and expiry, and with what is missing`() throws {
    let server = try RedisServer()
    let client = try server.client()
    #expect(try client.command("SCRIPT", "LOAD", KeySummary.script).string == "\(KeySummary.sha1)")
    try client.command("MSET", "a", "1", "b", "23", "c", "4")
    let keys = ["a", "b", "c", "none"]
    var seen = [try summary(client, keys)[2].string]
    let changes = [
      "SET a 12", "SET b 3", "SET c ''", "DEL c", "RPUSH c 4", "RPUSH c 5", "PEXPIREAT a 99999999999999",
      "PEXPIREAT a 99999999999998", "SET none ''",
    ]
    for change in changes {
      try client.command(words(change))
      seen.append(try summary(client, keys)[2].string)
    }
    #expect(Set(seen).count == changes.count + 1 && !seen.contains(""))
    #expect(try summary(client, keys)[1].string == "99999999999998")
    try client.command("PERSIST", "a")
    #expect(try summary(client, keys)[1].string == "0")
  }

  @Test(arguments: [3, 5_000])
  func `do not change with PFCOUNT`(count: Int) throws {
    let server = try RedisServer()
    let client = try server.client()
    try client.command("SCRIPT", "LOAD", KeySummary.script)
    try client.command(["PFADD", "a"] + (0..<count).map { "\($0)" })
    try client.command("SET", "b", "v")
    func digests() throws -> [RESPReply] {
      try [false, true].map { try summary(client, ["a", "b"], areShort: $0)[2] }
    }
    let before = try digests()
    try client.command("PFCOUNT", "a")
    #expect(try digests() == before && !before.contains(.text("")))
    try client.command("PFADD", "a", "a", "b", "c", "d")
    let after = try digests()
    #expect(after[0] != before[0] && after[1] != before[1])
  }

  @Test func `end early, and are missing where a key has no digest`() throws {
    let server = try RedisServer()
    let client = try server.client()
    try client.command("SCRIPT", "LOAD", KeySummary.script)
    for key in ["a", "b", "c"] { try client.command("SETRANGE", key, "100000", "x") }
    #expect(try summary(client, ["a", "b", "c"])[0].integer == 2)
    try client.command("SETRANGE", "a", "2000000", "x")
    #expect(try summary(client, ["a"])[2].string == "")
    // As if the default store had small ones.
    #expect(try summary(client, ["a", "b"], areShort: true)[2].string == "")
    try client.command("MSET", "a", "1", "b", "2")
    let (asked, told) = (try summary(client, ["a", "b"]), try summary(client, ["a", "b"], areShort: true))
    #expect(asked == told && asked[3].integer == 1)
    try client.command("RPUSH", "l", "1")
    #expect(try summary(client, ["a", "l"])[3].integer == 0)
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `are the same on servers of each version`() throws {
    let servers = try [RedisServer(.redis), RedisServer(.valkey)]
    let summaries = try servers.map { server in
      let client = try server.client()
      try client.command("SCRIPT", "LOAD", KeySummary.script)
      for line in ["SET s v", "SET t v PXAT 99999999999999", "HSET h f v g w", "SADD m a b", "ZADD z 0.1 a"] {
        try client.command(words(line))
      }
      return try summary(client, ["s", "t", "h", "m", "z", "none"])
    }
    #expect(summaries[0] == summaries[1])
  }

  @Test func `dumps come with the expiry, sizes for large keys, and 0 for missing ones`() throws {
    let server = try RedisServer()
    let client = try server.client()
    #expect(try client.command("SCRIPT", "LOAD", KeyDumps.script).string == "\(KeyDumps.sha1)")
    try client.command("SET", "a", "1")
    try client.command("SETRANGE", "b", "100000", "x")
    func dumps() throws -> [RESPReply] {
      let limits = ["\(KeyDumps.maxBytes)", "\(KeyDumps.maxBytesTogether)"]
      return try client.command(["EVALSHA", "\(KeyDumps.sha1)", "3", "a", "b", "none"] + limits).elements ?? []
    }
    let dump = try client.command("DUMP", "a")
    #expect(try dumps().first == dump && dumps().last?.integer == 0)
    #expect(try dumps()[1].integer ?? 0 > 100_000)
    try client.command("PEXPIREAT", "a", "99999999999999")
    #expect(try dumps().first?.elements?.first == dump)
    #expect(try dumps().first?.elements?.last?.string == "99999999999999")
  }
}
