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

  private func digest(_ client: RESPClient) throws -> RESPReply {
    let reply = try client.command(["EVAL", KeyDigest.script, "1", "k"] + limits)
    return try #require(reply.elements?.first, "\(reply)")
  }

  private let limits = ["\(KeyDigest.maxBytes)", "\(KeyDigest.maxElements)"]

  @Test func `of many keys come in one reply, which ends early where they are large`() throws {
    let server = try RedisServer()
    let client = try server.client()
    #expect(try client.command("SCRIPT", "LOAD", KeyDigest.script).string == "\(KeyDigest.sha1)")
    try client.command("SET", "a", "1")
    try client.command("SETRANGE", "b", "900000", "x")
    try client.command("SETRANGE", "c", "900000", "y")
    let reply = try client.command(["EVALSHA", "\(KeyDigest.sha1)", "4", "a", "b", "c", "d"] + limits)
    #expect(reply.elements?.count == 3)
    let rest = try client.command(["EVALSHA", "\(KeyDigest.sha1)", "1", "d"] + limits)
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

  @Test func `of large keys are not computed`() throws {
    let server = try RedisServer()
    let client = try server.client()
    try client.command("SETRANGE", "k", "2000000", "x")
    #expect(try digest(client).elements?[2].string == "large")
    try client.command("DEL", "k")
    try client.command(["RPUSH", "k"] + Array(repeating: "x", count: KeyDigest.maxElements + 1))
    #expect(try digest(client).elements?[2].string == "large")
  }

  private func expectNoError(_ reply: RESPReply, _ line: String) {
    #expect(reply.errorText == nil, "\(line)")
  }
}
