@testable internal import RESP
internal import TestSupport
internal import Testing

/// Input that a server refuses with the very words of the parser.
private let refused = [
  "*x\r\n", "*1x\r\n", "* 1\r\n", "*+1\r\n", "*01\r\n", "*-0\r\n", "*\r\n", "*2147483648\r\n",
  "*99999999999999999999\r\n",
  "*1\r\n:1\r\n", "*1\r\nPING\r\n", "*2\r\n$1\r\na\r\n*1\r\n", "*1\r\n+OK\r\n",
  "*1\r\n$x\r\n", "*1\r\n$-1\r\n", "*1\r\n$\r\n", "*1\r\n$ 1\r\n", "*1\r\n$01\r\n", "*1\r\n$536870913\r\n",
  "\"unbalanced\r\n", "ECHO 'a\r\n", "ECHO \"a\"b\r\n", "ECHO 'a'b\r\n", "ECHO \"a\\\"\r\n", "ECHO '\\'\r\n",
]

/// Inline commands with odd quoting. A server echoes the one argument, or refuses the line.
private let inlineLines = [
  "ECHO a", "  ECHO   a  ", "ECHO\ta", "ECHO \u{b}a\u{c}", "\u{b}ECHO \u{c}a", "ECHO a\u{b} \u{c}", "ECHO 'a'\u{c}",
  "echo \"\"", "ECHO ''", "ECHO \"a b\"", "ECHO 'a b'",
  "ECHO \"\\n\\r\\t\\b\\a\"", "ECHO \"\\x41\\x7a\\xfF\"", "ECHO \"\\x4\"", "ECHO \"\\xg1\"", "ECHO \"\\x\"",
  "ECHO \"\\q\\\\\\\"\"", "ECHO 'a\\nb'", "ECHO 'it\\'s'", "ECHO '\\\\'", "ECHO \"'\"", "ECHO '\"'", "ECHO a\"b c\"",
  "ECHO a'b c'", "ECHO a\\b", "ECHO \\x41", "ECHO \"a\" ", "\"ECHO\" a", "ECHO a\"b", "ECHO a'b", "ECHO \"a\"'b'",
  "ECHO \"abc\\", "ECHO é", "ECHO $1", "ECHO *1", "ECHO a b", "ECHO",
]

@Suite("Command parser beside a live server")
struct CommandParserServerTests {
  @Test("A server refuses the same input with the same words")
  func sameErrors() throws {
    let server = try RedisServer()
    for text in refused {
      let client = try server.client()
      try client.send(text)
      let reply = try client.readReply().errorText
      let found = ParserDriver.parse(bytes(text))
      #expect(reply.map { [.invalid($0)] } == found, "\(text.debugDescription)")
    }
  }

  @Test("A server that waits for the end of a line gives up at the same length")
  func longLines() throws {
    let server = try RedisServer()
    for start in ["", "*", "*1\r\n$"] {
      // A server looks at the length once it has more than the limit; it is cut off before it reads the rest.
      let text = start + String(repeating: "1", count: 70_000)
      let client = try server.client()
      try client.send(text)
      let reply = try client.readReply().errorText
      #expect(reply.map { [.invalid($0)] } == ParserDriver.parse(bytes(text)), "\(start)")
    }
  }

  @Test("What a server lets pass for the CR and LF that belong there is an error here")
  func strictLineEnds() throws {
    let server = try RedisServer()
    let client = try server.client()
    let lax = [
      ("*1\rx$4\r\nPING\r\n", "expected LF after CR"),
      ("*1\r\n$4\rxPING\r\n", "expected LF after CR"),
      ("*1\r\n$4\r\nPINGxx", "expected CRLF after bulk string"),
      ("*1\r\n$4\r\nPING\rx", "expected CRLF after bulk string"),
      ("*1\r\n$4\r\nPINGx\n", "expected CRLF after bulk string"),
    ]
    for (text, reason) in lax {
      try client.send(text)
      #expect(try client.readReply() == .simple("PONG"), "\(text.debugDescription)")
      #expect(ParserDriver.parse(bytes(text)) == [.invalid("ERR Protocol error: \(reason)")])
    }
  }

  @Test("An unprintable byte where a length belongs is shown as a number, and not sent back raw")
  func unprintableByte() {
    #expect(ParserDriver.parse(bytes("*1\r\n\u{1}")) == [.invalid("ERR Protocol error: expected '$', got '\\x1'")])
    #expect(ParserDriver.parse(bytes("*1\r\n\r\n")) == [.invalid("ERR Protocol error: expected '$', got '\\xd'")])
  }

  @Test("A server takes an inline command apart in the same way")
  func inlineQuoting() throws {
    let server = try RedisServer()
    for line in inlineLines {
      let client = try server.client()
      try client.send(line + "\r\n")
      let reply = try client.readReply()
      let found = ParserDriver.parse(bytes(line + "\r\n"))
      let expected: RESPReply? =
        switch found.first {
        case .command(let words):
          words.count == 2 ? .bulk(words[1]) : .error("ERR wrong number of arguments for 'echo' command")
        case .invalid(let text): .error(text)
        case .nothing, nil: nil
        }
      #expect(found.count == 1 && reply == expected, "\(line): \(found)")
    }
  }

  @Test("A zero byte separates words; a server never finds the end of such a line")
  func zeroByte() {
    // The store gets the words that were routed, so both read the same command.
    #expect(ParserDriver.parse(bytes("ECHO a\0b\r\n")) == [.words("ECHO", "a", "b")])
  }
}
