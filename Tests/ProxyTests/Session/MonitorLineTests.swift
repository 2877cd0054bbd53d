import RESP
import Testing

@testable import Proxy

@Suite("The line that shows a command to a monitor")
struct MonitorLineTests {
  private func line(_ arguments: [[UInt8]], at microseconds: Int64 = 1_700_000_000_123_456) -> String {
    let command = arguments.reduce(into: Array("*\(arguments.count)\r\n".utf8)) { command, argument in
      command += Array("$\(argument.count)\r\n".utf8) + argument + Array("\r\n".utf8)
    }
    let (name, second) = (arguments[0], arguments.count > 1 ? arguments[1] : [])
    let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: second.span))
    var output = ByteBuffer()
    MonitorLine(microseconds: microseconds, database: 3, client: "127.0.0.1:53211")
      .append(command.span, spec, to: &output)
    return output.withSpan { String(decoding: $0.array, as: UTF8.self) }
  }

  private func arguments(_ words: String) -> String {
    let line = line(words.split(separator: " ").map { Array($0.utf8) })
    return String(line.drop { $0 != "]" }.dropFirst(2).dropLast())
  }

  @Test func `has the time, the database, the client and the arguments`() {
    #expect(
      line([Array("SET".utf8), Array("k".utf8), []])
        == "+1700000000.123456 [3 127.0.0.1:53211] \"SET\" \"k\" \"\"\r\n"
    )
    #expect(line([Array("ping".utf8)], at: 1_000_042) == "+1.000042 [3 127.0.0.1:53211] \"ping\"\r\n")
  }

  @Test func `escapes bytes as a server does`() {
    let bytes = Array("a\"b\\c\n\r\t".utf8) + [7, 8, 0, 0x1f, 0x7f, 0xff] + Array(" ~".utf8)
    #expect(
      line([Array("ECHO".utf8), bytes]).hasSuffix("\"ECHO\" \"a\\\"b\\\\c\\n\\r\\t\\a\\b\\x00\\x1f\\x7f\\xff ~\"\r\n")
    )
  }

  @Test(
    arguments: [
      ("AUTH p", #""AUTH" "(redacted)""#), ("auth u p", #""auth" "(redacted)" "(redacted)""#),
      ("AUTH a b c", #""AUTH" "(redacted)" "(redacted)" "(redacted)""#), ("HELLO 3", #""HELLO" "3""#),
      (
        "HELLO 3 AUTH u p SETNAME n",
        #""HELLO" "3" "AUTH" "(redacted)" "(redacted)" "SETNAME" "n""#
      ),
      ("HELLO 9 SETNAME AUTH AUTH u p", #""HELLO" "9" "SETNAME" "AUTH" "AUTH" "(redacted)" "(redacted)""#),
      ("HELLO 3 AUHT u p", #""HELLO" "3" "(redacted)" "(redacted)" "(redacted)""#),
      ("HELLO 3 AUTH p", #""HELLO" "3" "AUTH" "(redacted)""#),
      ("MIGRATE h 1 k 0 9 COPY AUTH p", #""MIGRATE" "h" "1" "k" "0" "9" "COPY" "AUTH" "(redacted)""#),
      (
        "MIGRATE h 1 AUTH 0 9 auth2 u p KEYS AUTH k",
        #""MIGRATE" "h" "1" "AUTH" "0" "9" "auth2" "(redacted)" "(redacted)" "KEYS" "AUTH" "k""#
      ),
      ("AUHT p", #""(redacted)" "(redacted)""#), ("JSON.SET k $ 1", #""JSON.SET" "k" "$" "1""#),
      ("SET AUTH p", #""SET" "AUTH" "p""#),
    ]
  )
  func `shows no password`(command: String, shown: String) {
    #expect(arguments(command) == shown)
  }

  @Test func `shows the beginning of a long command`() {
    let room = MonitorLine.mostShownBytes
    let value = [UInt8](repeating: 0, count: room + 1)
    let line = line([Array("SET".utf8), Array("k".utf8), value, Array("EX".utf8), Array("1".utf8)])
    let used = 3 + 3 + 1 + 3
    #expect(line.hasSuffix("\\x00... (\(used + 1) more bytes)\" \"... (2 more arguments)\"\r\n"))
    #expect(line.count < room * 4 + 200)
    let many = self.line([Array("DEL".utf8)] + [[UInt8]](repeating: [], count: room))
    #expect(many.hasSuffix("more arguments)\"\r\n") && many.count < room * 2)
  }
}

@Suite("Commands that a server would execute")
struct AdmissionFactsTests {
  private func executes(_ line: String, _ facts: AdmissionFacts = AdmissionFacts()) -> Bool {
    let words = line.split(separator: " ").map { Array($0.utf8) }
    let (name, second) = (words[0], words.count > 1 ? words[1] : [])
    let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: second.span))
    return facts.executes(spec, argumentCount: words.count)
  }

  @Test func `those with an error of their form are not executed, and EXEC is always shown`() {
    for line in ["GET k", "PING", "EXEC", "EXEC x", "CLIENT ID", "NOSUCH x"] { #expect(executes(line), "\(line)") }
    for line in ["GET", "CLIENT NOSUCH", "CLIENT"] { #expect(!executes(line), "\(line)") }
  }

  @Test func `most are queued in a transaction`() {
    let facts = AdmissionFacts(isInTransaction: true)
    for line in ["EXEC", "DISCARD", "MULTI", "QUIT", "RESET"] { #expect(executes(line, facts), "\(line)") }
    for line in ["GET k", "UNWATCH", "AUTH x", "PING"] { #expect(!executes(line, facts), "\(line)") }
  }

  @Test func `a client that monitors reaches no keys`() {
    let facts = AdmissionFacts(isMonitoring: true)
    for line in ["PING", "CLIENT ID", "MULTI", "SUBSCRIBE c", "INFO", "SCRIPT LOAD x", "TIME"] {
      #expect(executes(line, facts), "\(line)")
    }
    for line in ["GET k", "SET k v", "DBSIZE", "PUBLISH c m", "EVAL x 0", "EVAL_RO x 0", "BLPOP k 0", "FLUSHALL"] {
      #expect(!executes(line, facts), "\(line)")
    }
  }

  @Test func `a stranger executes AUTH alone, and a subscriber PING`() {
    let stranger = AdmissionFacts(isLoggedIn: false)
    #expect(executes("AUTH x", stranger) && executes("HELLO 3", stranger) && !executes("GET k", stranger))
    let subscriber = AdmissionFacts(isSubscribed: true)
    #expect(executes("PING", subscriber) && !executes("GET k", subscriber))
  }
}
