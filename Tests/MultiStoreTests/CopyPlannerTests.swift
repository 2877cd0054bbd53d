internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// A write, the default store's reply as a Lua expression, and what the other store gets.
private struct Case {
  let command: String
  let reply: String
  let copy: Copy

  init(_ command: String, _ reply: String, _ copy: Copy) {
    self.command = command
    self.reply = reply
    self.copy = copy
  }
}

private enum Copy: Equatable {
  case same, nothing, notRepeatable
  /// Keys as they are on the default store.
  case keys(KeySelection)
  /// Words whose reply can be compared with the default store's.
  case words(String)
  /// Words whose reply means something else.
  case incomparable(String)
}

/// The moment at which all copies are planned, in milliseconds.
private let now: Int64 = 1_700_000_000_000

private let stringCases = [
  Case("SET k v", "{ok='OK'}", .same),
  Case("SET k v KEEPTTL", "{ok='OK'}", .same),
  Case("SET k v GET", "'old'", .same),
  Case("SET k v EXAT 1800000000", "{ok='OK'}", .same),
  Case("SET k v PXAT 1800000000000", "{ok='OK'}", .same),
  Case("SET k v EX 10", "{ok='OK'}", .words("SET k v PXAT 1700000010000")),
  Case("set k v px 10", "{ok='OK'}", .words("set k v PXAT 1700000000010")),
  Case("SET EX EX EX 10", "{ok='OK'}", .words("SET EX EX PXAT 1700000010000")),
  Case("SET k NX", "{ok='OK'}", .same),
  Case("SET k v NX", "{ok='OK'}", .words("SET k v")),
  Case("SET k v NX", "false", .nothing),
  Case("SET k v XX", "{ok='OK'}", .words("SET k v")),
  Case("SET k v xx", "false", .nothing),
  Case("SET k v NX EX 10", "{ok='OK'}", .words("SET k v PXAT 1700000010000")),
  Case("SET k v EX 10 NX", "{ok='OK'}", .words("SET k v PXAT 1700000010000")),
  Case("SET k v XX KEEPTTL", "{ok='OK'}", .words("SET k v KEEPTTL")),
  Case("SET k v NX GET", "false", .words("SET k v GET")),
  Case("SET k v GET NX", "'old'", .nothing),
  Case("SET k v XX GET", "'old'", .words("SET k v GET")),
  Case("SET k v XX GET", "false", .nothing),
  Case("SET k v GET EX 10 XX", "'old'", .words("SET k v GET PXAT 1700000010000")),
  Case("SET k v GET PX 10", "false", .words("SET k v GET PXAT 1700000000010")),
  Case("SET k v IFEQ old", "{ok='OK'}", .words("SET k v")),
  Case("SET k v IFEQ old", "false", .nothing),
  Case("SET k v IFEQ old EX 10", "{ok='OK'}", .words("SET k v PXAT 1700000010000")),
  Case("SET k v IFEQ old GET", "'old'", .words("SET k v GET")),
  Case("SET k v IFEQ old GET", "'other'", .nothing),
  Case("SET k v IFEQ EX GET", "'EX'", .words("SET k v GET")),
  Case("SET k v EX 9223372036854775", "{ok='OK'}", .notRepeatable),
  Case("SET k v PX 9223372036854775807", "{ok='OK'}", .notRepeatable),
  Case("SETEX k 10 v", "{ok='OK'}", .words("SET k v PXAT 1700000010000")),
  Case("PSETEX k 10 v", "{ok='OK'}", .words("SET k v PXAT 1700000000010")),
  Case("SETEX k 9223372036854775807 v", "{ok='OK'}", .notRepeatable),
  Case("SETNX k v", "1", .incomparable("SET k v")),
  Case("SETNX k v", "0", .nothing),
  Case("MSETNX a 1 b 2", "1", .incomparable("MSET a 1 b 2")),
  Case("MSETNX a 1 b 2", "0", .nothing),
  Case("GETEX k EX 10", "'v'", .words("GETEX k PXAT 1700000010000")),
  Case("GETEX k PX 10", "'v'", .words("GETEX k PXAT 1700000000010")),
  Case("GETEX k PERSIST", "'v'", .same),
  Case("GETEX k EXAT 1800000000", "'v'", .same),
  Case("GETEX k EX 10", "false", .nothing),
  Case("MSETEX 2 a 1 b 2 EX 10", "1", .words("MSETEX 2 a 1 b 2 PXAT 1700000010000")),
  Case("MSETEX 1 a 1 NX PX 10", "1", .words("MSETEX 1 a 1 PXAT 1700000000010")),
  Case("MSETEX 1 a 1 KEEPTTL XX", "1", .words("MSETEX 1 a 1 KEEPTTL")),
  Case("MSETEX 1 a 1", "1", .same),
  Case("MSETEX 2 PX 100 NX ex", "1", .same),
  Case("MSETEX 1 EX 5 EX 10", "1", .words("MSETEX 1 EX 5 PXAT 1700000010000")),
  Case("MSETEX 1 a 1 NX EX 10", "0", .nothing),
  Case("APPEND k v", "1", .same),
]

private let otherCases = [
  Case("EXPIRE k 10", "1", .words("PEXPIREAT k 1700000010000")),
  Case("EXPIRE k 10", "0", .nothing),
  Case("EXPIRE k 10 NX", "1", .words("PEXPIREAT k 1700000010000")),
  Case("PEXPIRE k 10 GT", "1", .words("PEXPIREAT k 1700000000010")),
  Case("EXPIRE k -1", "1", .words("PEXPIREAT k 1")),
  Case("EXPIRE k 0", "1", .words("PEXPIREAT k 1")),
  Case("EXPIRE k 9223372036854775807", "1", .notRepeatable),
  Case("PEXPIRE k 9223372036854775807", "1", .notRepeatable),
  Case("EXPIREAT k 1800000000", "1", .same),
  Case("EXPIREAT k 1800000000 NX", "1", .words("EXPIREAT k 1800000000")),
  Case("PEXPIREAT k 1800000000000 GT", "1", .words("PEXPIREAT k 1800000000000")),
  Case("EXPIREAT k 1800000000", "0", .nothing),
  Case("PERSIST k", "1", .same),
  Case("PERSIST k", "0", .nothing),
  Case("XADD s * f v", "'5-1'", .words("XADD s 5-1 f v")),
  Case("XADD s 5-* f v", "'5-3'", .words("XADD s 5-3 f v")),
  Case("XADD s 5 f v", "'5-0'", .words("XADD s 5-0 f v")),
  Case("XADD s 5-1 f *", "'5-1'", .words("XADD s 5-1 f *")),
  Case("XADD s NOMKSTREAM * f v", "false", .nothing),
  Case("XADD s NOMKSTREAM * f v", "'5-1'", .words("XADD s NOMKSTREAM 5-1 f v")),
  Case("XADD s MAXLEN 10 * f v", "'5-1'", .words("XADD s MAXLEN 10 5-1 f v")),
  Case("XADD s MAXLEN = 10 * f v", "'5-1'", .words("XADD s MAXLEN = 10 5-1 f v")),
  Case("XADD s maxlen ~ 10 LIMIT 5 * f v", "'5-1'", .words("XADD s maxlen ~ 10 LIMIT 5 5-1 f v")),
  Case("XADD s MINID ~ 3-1 * f v", "'5-1'", .words("XADD s MINID ~ 3-1 5-1 f v")),
  Case(
    "XADD s nomkstream MAXLEN ~ 10 limit 5 * maxlen 1",
    "'5-1'",
    .words("XADD s nomkstream MAXLEN ~ 10 limit 5 5-1 maxlen 1")
  ),
  Case("XADD s MAXLEN 10 NOMKSTREAM * f v", "'5-1'", .words("XADD s MAXLEN 10 NOMKSTREAM 5-1 f v")),
  Case("XADD s KEEPREF * f v", "'5-1'", .words("XADD s KEEPREF 5-1 f v")),
  Case("XADD s MAXLEN 10 ACKED * f v", "'5-1'", .words("XADD s MAXLEN 10 ACKED 5-1 f v")),
  Case("XADD MAXLEN * f v", "'5-1'", .words("XADD MAXLEN 5-1 f v")),
  Case("HSETNX h f v", "1", .incomparable("HSET h f v")),
  Case("HSETNX h f v", "0", .nothing),
  Case("HEXPIRE h 10 FIELDS 1 f", "{1}", .words("HPEXPIREAT h 1700000010000 FIELDS 1 f")),
  Case("HPEXPIRE h 10 NX FIELDS 1 f", "{1}", .incomparable("HPEXPIREAT h 1700000000010 NX FIELDS 1 f")),
  Case("HEXPIRE h 10 GT FIELDS 2 f g", "{0, -2}", .nothing),
  Case("HEXPIRE h 0 FIELDS 2 f g", "{-2, 2}", .words("HPEXPIREAT h 1 FIELDS 2 f g")),
  Case("HEXPIRE h 9223372036854775807 FIELDS 1 f", "{1}", .notRepeatable),
  Case("HEXPIREAT h 1800000000 FIELDS 1 f", "{1}", .same),
  Case("HGETEX h EX 10 FIELDS 1 f", "{'v'}", .words("HGETEX h PXAT 1700000010000 FIELDS 1 f")),
  Case("HGETEX h EX 10 FIELDS 1 f", "{false}", .nothing),
  Case("HGETEX h PERSIST FIELDS 1 f", "{'v'}", .same),
  Case("HGETEX h FIELDS 2 EX 10", "{'v', 'w'}", .same),
  Case("HSETEX h EX 10 FIELDS 1 f v", "1", .words("HSETEX h PXAT 1700000010000 FIELDS 1 f v")),
  Case("HSETEX h PX 10 FIELDS 1 PX 10", "1", .words("HSETEX h PXAT 1700000000010 FIELDS 1 PX 10")),
  Case("HSETEX h FNX EX 10 FIELDS 1 f v", "1", .words("HSETEX h PXAT 1700000010000 FIELDS 1 f v")),
  Case("HSETEX h NX FXX FIELDS 1 FNX v", "1", .words("HSETEX h FIELDS 1 FNX v")),
  Case("HSETEX h KEEPTTL FIELDS 1 f v", "1", .same),
  Case("HSETEX h EX 10 FIELDS 1 f v", "0", .nothing),
  Case("HSETEX h FIELDS 1 PXAT v", "0", .nothing),
  Case("HSETEX h PXAT 1 FIELDS 2 a x b y", "0", .keys(.all)),
  Case("SPOP s", "'a'", .incomparable("SREM s a")),
  Case("SPOP s 3", "{'a', 'b'}", .incomparable("SREM s a b")),
  Case("SPOP s", "false", .nothing),
  Case("SPOP s 3", "{}", .nothing),
  Case("LMPOP 2 a b LEFT", "{'b', {'1'}}", .incomparable("LPOP b 1")),
  Case("LMPOP 2 a b right COUNT 5", "{'a', {'1', '2'}}", .incomparable("RPOP a 2")),
  Case("LMPOP 1 left RIGHT", "{'left', {'1'}}", .incomparable("RPOP left 1")),
  Case("LMPOP 2 a b LEFT", "false", .nothing),
  Case("ZMPOP 2 a b MIN COUNT 2", "{'b', {{'m', '1'}, {'n', '2'}}}", .incomparable("ZREM b m n")),
  Case("ZMPOP 1 a MIN", "false", .nothing),
  Case("BLPOP a b 0", "{'b', 'x'}", .incomparable("LPOP b")),
  Case("BRPOP a b 0", "{'a', 'x'}", .incomparable("RPOP a")),
  Case("BLMOVE a b LEFT RIGHT 0", "'x'", .words("LMOVE a b LEFT RIGHT")),
  Case("BLMOVE a b LEFT RIGHT 0", "false", .nothing),
  Case("BRPOPLPUSH a b 5", "'x'", .words("RPOPLPUSH a b")),
  Case("BLMPOP 0 2 a b RIGHT COUNT 3", "{'b', {'x', 'y'}}", .incomparable("RPOP b 2")),
  Case("BLMPOP 0 2 a b LEFT", "false", .nothing),
  Case("BLPOP a 1", "false", .nothing),
  Case("BZPOPMIN a 0", "{'a', 'm', '1'}", .incomparable("ZREM a m")),
  Case("BZMPOP 0 1 a MAX", "{'a', {{'m', '1'}}}", .incomparable("ZREM a m")),
  Case("RENAME a b", "{ok='OK'}", .keys(.all)),
  Case("COPY a b", "1", .keys(.last)),
  Case("SUNIONSTORE d a b", "2", .keys(.first)),
  Case("EVAL x 1 k", "1", .keys(.all)),
  Case("MIGRATE h 1 k 0 5", "{ok='OK'}", .notRepeatable),
  Case("LPOP l", "'a'", .same),
  Case("DEL a b", "0", .same),
]

@Suite("Copies of writes")
struct CopyPlannerTests {
  private static func effect(of line: String) -> Effect {
    CommandTable.spec(CommandTable.lookup(Array(words(line)[0].utf8).span)).effect
  }

  private func plan(
    _ source: ReplySource,
    _ item: Case,
    hasAbsoluteExpiry: Bool = true
  ) throws -> (plan: CopyPlan, scratch: [UInt8]) {
    try source.reply(lua: item.reply) { reply in
      let planner = CopyPlanner(now: now, hasAbsoluteExpiry: hasAbsoluteExpiry)
      // What an earlier plan left behind must not matter.
      var scratch = ByteBuffer()
      scratch.append("left over" as StaticString)
      let plan = planner.plan(Self.effect(of: item.command), encoded(item.command).span, after: reply, into: &scratch)
      return (plan, scratch.bytes)
    }
  }

  @Test("Each effect gives the very bytes")
  func golden() throws {
    let source = try ReplySource()
    for item in stringCases + otherCases {
      let (plan, scratch) = try plan(source, item)
      switch item.copy {
      case .same: #expect(plan == .verbatim, "\(item)")
      case .nothing: #expect(plan == .noEffect, "\(item)")
      case .notRepeatable: #expect(plan == .notRepeatable, "\(item)")
      case .keys(let selection): #expect(plan == .keys(selection), "\(item)")
      case .words(let line):
        #expect(plan == .rewritten(isComparable: true), "\(item)")
        #expect(shown(scratch) == shown(encoded(line)), "\(item)")
      case .incomparable(let line):
        #expect(plan == .rewritten(isComparable: false), "\(item)")
        #expect(shown(scratch) == shown(encoded(line)), "\(item)")
      }
    }
  }

  @Test("Every effect has a case")
  func complete() {
    let covered = Set((stringCases + otherCases).map { Self.effect(of: $0.command) })
    #expect(Effect.allCases.filter { !covered.contains($0) } == [])
  }

  @Test("An other store without PXAT gets the time as it came, and no condition all the same")
  func oldServer() throws {
    let source = try ReplySource()
    let cases = [
      Case("SET k v EX 10", "{ok='OK'}", .same),
      Case("SET k v NX EX 10", "{ok='OK'}", .words("SET k v EX 10")),
      Case("SETEX k 10 v", "{ok='OK'}", .same),
      Case("PSETEX k 10 v", "{ok='OK'}", .same),
      Case("GETEX k EX 10", "'v'", .same),
      Case("EXPIRE k 10", "1", .words("PEXPIREAT k 1700000010000")),
    ]
    for item in cases {
      let (plan, scratch) = try plan(source, item, hasAbsoluteExpiry: false)
      if case .words(let line) = item.copy {
        #expect(plan == .rewritten(isComparable: true), "\(item)")
        #expect(shown(scratch) == shown(encoded(line)), "\(item)")
      } else {
        #expect(plan == .verbatim, "\(item)")
      }
    }
  }

  @Test("Binary keys and values are copied as they are")
  func binary() throws {
    let source = try ReplySource()
    let value = Array(UInt8(0)...255)
    let command = RESPClient.encode([Array("SET".utf8), value, value, Array("EX".utf8), Array("1".utf8)])
    let expected = RESPClient.encode([
      Array("SET".utf8), value, value, Array("PXAT".utf8), Array("1700000001000".utf8),
    ])
    let scratch = try source.reply(lua: "{ok='OK'}") { reply in
      var scratch = ByteBuffer()
      _ = CopyPlanner(now: now, hasAbsoluteExpiry: true)
        .plan(.setWithExpiry, command.span, after: reply, into: &scratch)
      return scratch.bytes
    }
    #expect(scratch == expected)
  }
}
