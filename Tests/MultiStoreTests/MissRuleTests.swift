internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Replies as Lua expressions, with the rules by which each is a miss.
private let replies: [(lua: String, rules: Set<MissRule>)] = [
  ("false", Set(MissRule.allCases).subtracting([.never])),
  ("{err='ERR no such key'}", [.noKeyError]),
  ("{err='NOGROUP No such key'}", [.noKeyError]),
  ("{err='ERR other'}", []),
  ("'value'", []),
  ("''", [.emptyString, .lcs]),
  ("'none'", []),
  ("{ok='none'}", [.noneStatus]),
  ("{ok='string'}", []),
  ("0", [.zero, .lcs, .bitPosition]),
  ("1", []),
  ("-1", [.bitPosition]),
  ("-2", [.minusTwo]),
  ("{}", [.emptyCollection, .nullOrEmpty]),
  ("{'a'}", []),
  ("{'a', false}", [.anyNullElement]),
  ("{false}", [.anyNullElement]),
  ("{0}", [.allZero]),
  ("{0, 0}", [.allZero]),
  ("{0, 1}", []),
  ("{-2, -2}", [.allMinusTwo]),
  ("{-2, -1}", []),
  ("{'0', {}}", [.emptyScan]),
  ("{'17', {}}", []),
  ("{'0', {'a'}}", []),
  ("{'matches', {}, 'len', 0}", [.lcs]),
  ("{'matches', {}, 'len', 3}", []),
]

/// Reads of which an absent key is a miss and the key that the first line makes is none.
private let commands: [(setup: String, command: String)] = [
  ("SET k v", "GET k"), ("SET k v", "GETRANGE k 0 -1"), ("SET k v", "EXISTS k"), ("SET k v EX 100", "TTL k"),
  ("SET k v", "TYPE k"), ("SET k v", "STRLEN k"), ("SET k v", "GETEX k"), ("HSET k f v", "HGET k f"),
  ("HSET k f v", "HEXISTS k f"), ("HSET k f v", "HMGET k f"), ("HSET k f v", "HGETALL k"), ("SADD k a", "SMEMBERS k"),
  ("SADD k a", "SISMEMBER k a"), ("SADD k a", "SMISMEMBER k a"), ("SADD k a", "SSCAN k 0"),
  ("RPUSH k a", "LRANGE k 0 -1"),
  ("RPUSH k a", "LPOS k a"), ("RPUSH k a", "LPOS k a COUNT 0"), ("ZADD k 1 a", "ZSCORE k a"),
  ("ZADD k 1 a", "ZMSCORE k a"),
  ("ZADD k 1 a", "ZRANK k a"), ("SETBIT k 1 1", "GETBIT k 1"), ("SETBIT k 1 1", "BITPOS k 1"),
  ("SETBIT k 1 1", "BITFIELD k GET u8 0"), ("GEOADD k 1 1 a", "GEOPOS k a"), ("XADD k 1-1 f v", "XRANGE k - +"),
  ("XADD k 1-1 f v", "XREAD STREAMS k 0"), ("PFADD k a", "PFCOUNT k"), ("SET k v", "LCS k k"), ("SET k v", "MGET k"),
]

@Suite("Misses")
struct MissRuleTests {
  @Test("Each shape of a reply is a miss by its own rules alone")
  func shapes() throws {
    let source = try ReplySource()
    let scan = encoded("SSCAN k 0")
    for (lua, expected) in replies {
      let rules = try source.reply(lua: lua) { reply in
        let reply = copy reply
        return Set(MissRule.allCases.filter { $0.isMiss(reply, of: scan.span) })
      }
      #expect(rules == expected, "\(lua)")
    }
  }

  @Test("A null array is a miss as a null string is")
  func nullArray() throws {
    let source = try ReplySource()
    let command = encoded("XREAD STREAMS k 0")
    let isMiss = try source.reply(to: "XREAD STREAMS k 0") { MissRule.null.isMiss($0, of: command.span) }
    #expect(isMiss)
  }

  @Test("A scan that goes on is no miss, however little it brings", arguments: ["SSCAN k 17", "SSCAN k 00", "SSCAN k"])
  func scanGoesOn(line: String) throws {
    let source = try ReplySource()
    let isMiss = try source.reply(lua: "{'0', {}}") { MissRule.emptyScan.isMiss($0, of: encoded(line).span) }
    #expect(!isMiss)
  }

  @Test("An absent key is a miss and a present one is none, as a server says it")
  func live() throws {
    let source = try ReplySource()
    for (setup, command) in commands {
      let id = CommandTable.lookup(Array(words(command)[0].utf8).span)
      let rule = CommandTable.spec(id).miss
      try source.client.command("FLUSHALL")
      let absent = try source.reply(to: command) { rule.isMiss($0, of: encoded(command).span) }
      #expect(absent, "\(command)")
      let reply = try source.client.command(words(setup))
      #expect(reply.errorText == nil, "\(setup)")
      let present = try source.reply(to: command) { rule.isMiss($0, of: encoded(command).span) }
      #expect(!present, "\(command)")
    }
  }
}
