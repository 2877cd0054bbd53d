internal import Hiredis
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Filling replies of many values")
struct ElementFillTests {
  /// What is asked of the other store, and the reply once that has answered.
  private struct Filled: Equatable {
    var asked: String
    var unfilled: String
    var reply: String
    var isFilled: Bool
  }

  private func fill(
    _ source: ReplySource,
    _ command: String,
    reply: String,
    filling: String,
    stale: String = "nothing is"
  ) throws -> Filled {
    // A reply can't be kept, so the fill is carried from one look to the next.
    final class Box { var fill = ElementFill() }
    let box = Box()
    let isWholeKeys = command.hasPrefix("MGET")
    let asked = try source.reply(lua: reply) { reply in
      var scratch = ByteBuffer()
      box.fill.prepare(
        command: encoded(command).span,
        reply: reply,
        isWholeKeys: isWholeKeys,
        isStale: { $0.array == Array(stale.utf8) },
        into: &scratch
      )
      return shown(scratch.bytes)
    }
    var unfilled = ByteBuffer()
    box.fill.encode(into: &unfilled)
    let (isFilled, output) = try source.reply(lua: filling) { filling in
      var output = ByteBuffer()
      let isFilled = box.fill.encode(filledFrom: filling, into: &output)
      return (isFilled, shown(output.bytes))
    }
    return Filled(asked: asked, unfilled: shown(unfilled.bytes), reply: output, isFilled: isFilled)
  }

  @Test("Only the nil elements are asked for, and each gets its place")
  func places() throws {
    let source = try ReplySource()
    #expect(
      try fill(source, "MGET a b c d", reply: "{'1', false, '', false}", filling: "{'2', '4'}")
        == Filled(
          asked: "*3|$4|MGET|$1|b|$1|d|",
          unfilled: "*4|$1|1|$-1|$0||$-1|",
          reply: "*4|$1|1|$1|2|$0||$1|4|",
          isFilled: true
        )
    )
    #expect(
      try fill(source, "HMGET h f g", reply: "{false, 'x'}", filling: "{false}")
        == Filled(
          asked: "*3|$5|HMGET|$1|h|$1|f|",
          unfilled: "*2|$-1|$1|x|",
          reply: "*2|$-1|$1|x|",
          isFilled: false
        )
    )
    #expect(
      try fill(source, "GEOPOS g a b", reply: "{false, {'1', '2'}}", filling: "{{'3', '4'}}")
        == Filled(
          asked: "*3|$6|GEOPOS|$1|g|$1|a|",
          unfilled: "*2|$-1|*2|$1|1|$1|2|",
          reply: "*2|*2|$1|3|$1|4|*2|$1|1|$1|2|",
          isFilled: true
        )
    )
  }

  @Test("The same key twice is asked for twice")
  func duplicates() throws {
    let source = try ReplySource()
    let filled = try fill(source, "MGET a a", reply: "{false, false}", filling: "{'1', '1'}")
    #expect(filled.asked == "*3|$4|MGET|$1|a|$1|a|" && filled.reply == "*2|$1|1|$1|1|")
  }

  @Test("A key that is stale on the other store stays nil")
  func stale() throws {
    let source = try ReplySource()
    #expect(
      try fill(source, "MGET a b", reply: "{false, false}", filling: "{'2'}", stale: "a")
        == Filled(
          asked: "*2|$4|MGET|$1|b|",
          unfilled: "*2|$-1|$-1|",
          reply: "*2|$-1|$1|2|",
          isFilled: true
        )
    )
  }

  @Test("A fill is used again without a trace of the one before")
  func reuse() throws {
    let source = try ReplySource()
    final class Box { var fill = ElementFill() }
    let box = Box()
    for (command, lua, missing) in [
      ("MGET a b", "{false, 'long value'}", 1), ("MGET a", "{false}", 1), ("MGET a", "{'x'}", 0),
    ] {
      let count = try source.reply(lua: lua) { reply in
        var scratch = ByteBuffer()
        let command = encoded(command)
        box.fill.prepare(
          command: command.span,
          reply: reply,
          isWholeKeys: true,
          isStale: { _ in false },
          into: &scratch
        )
        return box.fill.missingCount
      }
      #expect(count == missing)
    }
    var output = ByteBuffer()
    box.fill.encode(into: &output)
    #expect(shown(output.bytes) == "*1|$1|x|")
  }

  @Test(
    "Two whole replies are merged element by element, or not at all",
    arguments: [
      ("*3|$1|a|$-1|$-1|", "*3|$1|b|$1|c|$-1|", "*3|$1|a|$1|c|$-1|"),
      ("*2|*-1|:1|", "*2|*1|$1|x|:2|", "*2|*1|$1|x|:1|"),
      ("*3|*-1|*-1|$-1|", "*3|*1|$1|x|*-1|$-1|", "*3|*1|$1|x|*-1|$-1|"),
      ("*1|$1|a|", "*1|$1|b|", nil), ("*1|$-1|", "*1|$-1|", nil), ("*1|$-1|", "*2|$1|a|$1|b|", nil),
      ("*1|$-1|", "-ERR no|", nil), ("$-1|", "*1|$1|a|", nil), ("*0|", "*0|", nil), ("*1|$-1|", "", nil),
    ] as [(String, String, String?)]
  )
  func merge(reply: String, filling: String, expected: String?) {
    var output = ByteBuffer()
    let isMerged = ElementFill.merge(wire(reply).span, wire(filling).span, into: &output)
    #expect(isMerged == (expected != nil))
    #expect(shown(output.bytes) == expected ?? "")
  }
}

@Suite("Options of SET")
struct SetOptionsTests {
  @Test("Time and condition are found wherever they stand")
  func places() {
    func read(_ line: String) -> SetOptions { SetOptions(encoded(line).span, from: 3) }
    let options = read("SET k v NX EX 10 GET")
    #expect(options.expiry?.index == 4 && options.expiry?.isSeconds == true)
    #expect(options.condition == .absent && options.conditionArguments == 1)
    #expect((0..<7).filter(options.isCondition) == [3])
    let equal = read("SET k v px 10 ifeq PX")
    #expect(equal.expiry?.index == 3 && equal.expiry?.isSeconds == false)
    #expect(equal.condition == .equal && (0..<7).filter(equal.isCondition) == [5, 6])
    let none = read("SET NX XX KEEPTTL")
    #expect(none.expiry == nil && none.condition == .none && !(0..<5).contains(where: none.isCondition))
    #expect(read("SET k v EXAT 5").expiry == nil && read("SET k v PXAT 5").expiry == nil)
    #expect(SetOptions(encoded("HSETEX h PX 5 FIELDS 1 EX 9").span, from: 2).expiry?.index == 2)
  }
}
