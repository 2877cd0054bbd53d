internal import Hiredis
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// The answers to the question for a key's contents.
@Suite("Contents of keys")
struct KeyContentsTests {
  private static let sound = [
    "{{'DEL', 'k'}}",
    "{{'DEL', 'k'}, {'SET', 'k', 'v'}, {'PEXPIREAT', 'k', '99999999999999'}}",
    "{{'DEL', 'k'}, {'XADD', 'k', '5-1', 'f', 'v'}, {'XGROUP', 'CREATE', 'k', 'g', '0'}, {'XSETID', 'k', '5-1'}}",
  ]
  /// Answers of another program, or of one that lies.
  private static let senseless = [
    "1", "false", "{ok='OK'}", "'text'", "{}", "{1}", "{'DEL', 'k'}", "{{'DEL', 'k'}, 'SET k v'}", "{{'DEL'}}",
    "{{'DEL', 'k'}, {'SET', 'l', 'v'}}", "{{'DEL', 'k'}, {'FLUSHALL', 'k'}}", "{{'DEL', 'k'}, {'SET', 'k', 1}}",
    "{{'DEL', 'k'}, {'SET', 'k', {'v'}}}", "{{'DEL', 'k'}, {'EVAL', 'k', '0'}}", "{{'DEL', 'k'}, {'XGROUP', 'k'}}",
    "{{'DEL', 'k'}, {'XGROUP', 'CREATE', 'l', 'g', '0'}}", "{{'DEL', 'k'}, {}}", "{{'DEL', 'k'}, {'set', 'k', 'v'}}",
  ]

  @Test func `are executed only if they are commands of the script about the key`() throws {
    let source = try ReplySource()
    for answer in Self.sound {
      #expect(try source.reply(lua: answer) { KeyContents.areCommands($0, about: Array("k".utf8)) }, "\(answer)")
    }
    for answer in Self.senseless {
      #expect(try !source.reply(lua: answer) { KeyContents.areCommands($0, about: Array("k".utf8)) }, "\(answer)")
    }
  }
}
