import RESP
import TestSupport
import Testing

@Suite("Upgrading a reply")
struct ReplyUpgradeTests {
  @Test(arguments: [
    (ReplyShape.plain, "+OK\r\n", "+OK\r\n"),
    (.plain, "-ERR no\r\n", "-ERR no\r\n"),
    (.plain, ":-1\r\n", ":-1\r\n"),
    (.plain, "$2\r\n-1\r\n", "$2\r\n-1\r\n"),
    (.plain, "$-1\r\n", "_\r\n"),
    (.plain, "*-1\r\n", "_\r\n"),
    (.plain, "*0\r\n", "*0\r\n"),
    (.plain, "*3\r\n$-1\r\n*2\r\n:1\r\n*-1\r\n$3\r\nabc\r\n", "*3\r\n_\r\n*2\r\n:1\r\n_\r\n$3\r\nabc\r\n"),
    (.plain, "*2\r\n$5\r\n$-1\r\n\r\n$-1\r\n", "*2\r\n$5\r\n$-1\r\n\r\n_\r\n"),
    (.same, "*1\r\n$1\r\na\r\n", "*1\r\n$1\r\na\r\n"),
    (.same, "$-1\r\n", "_\r\n"),
    (.map, "*0\r\n", "%0\r\n"),
    (.map, "*-1\r\n", "_\r\n"),
    (.map, "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n", "%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n"),
    (
      .map, "*10\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n",
      "%5\r\n:0\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n"
    ),
    (.map, "*1\r\n:1\r\n", "*1\r\n:1\r\n"),
    (.map, "-WRONGTYPE no\r\n", "-WRONGTYPE no\r\n"),
    (.set, "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "~2\r\n$1\r\na\r\n$1\r\nb\r\n"),
    (.set, "$1\r\na\r\n", "$1\r\na\r\n"),
    (.double, "$3\r\n1.5\r\n", ",1.5\r\n"),
    (.double, "$4\r\n-inf\r\n", ",-inf\r\n"),
    (.double, "$-1\r\n", "_\r\n"),
    (.double, ":1\r\n", ":1\r\n"),
    (.double, "$0\r\n\r\n", "$0\r\n\r\n"),
    (.double, "$4\r\n1\r\n2\r\n", "$4\r\n1\r\n2\r\n"),
    (.doubles, "*3\r\n$1\r\n1\r\n$-1\r\n$2\r\n10\r\n", "*3\r\n,1\r\n_\r\n,10\r\n"),
    (.verbatim, "$0\r\n\r\n", "=4\r\ntxt:\r\n"),
    (.verbatim, "$6\r\na:1\r\nb\r\n", "=10\r\ntxt:a:1\r\nb\r\n"),
    (.verbatimLines, "$2\r\na\n\r\n", "=6\r\ntxt:a\n\r\n"),
    (.verbatimLines, "$1\r\na\r\n", "$1\r\na\r\n"),
    (
      .pairs, "*4\r\n$1\r\na\r\n$1\r\nb\r\n$0\r\n\r\n$0\r\n\r\n",
      "*2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*2\r\n$0\r\n\r\n$0\r\n\r\n"
    ),
    (.pairs, "*3\r\n:1\r\n:2\r\n$-1\r\n", "*3\r\n:1\r\n:2\r\n_\r\n"),
    (
      .scoredMembers, "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\ninf\r\n",
      "*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,inf\r\n"
    ),
    (.scored, "*3\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n", "*3\r\n$1\r\n1\r\n$1\r\n2\r\n,3\r\n"),
    (.scored, "*2\r\n:0\r\n$1\r\n3\r\n", "*2\r\n:0\r\n,3\r\n"),
    (
      .poppedMembers, "*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n",
      "*2\r\n$1\r\nk\r\n*1\r\n*2\r\n$1\r\n1\r\n,2\r\n"
    ),
    (.entries, "*2\r\n*2\r\n$1\r\ns\r\n*0\r\n*2\r\n$1\r\nt\r\n*-1\r\n", "%2\r\n$1\r\ns\r\n*0\r\n$1\r\nt\r\n_\r\n"),
    (.entries, "*1\r\n*3\r\n:1\r\n:2\r\n$-1\r\n", "*1\r\n*3\r\n:1\r\n:2\r\n_\r\n"),
    (.entries, "*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n", "*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n"),
    (.records, "*1\r\n*4\r\n$1\r\na\r\n$-1\r\n:1\r\n:2\r\n", "*1\r\n%2\r\n$1\r\na\r\n_\r\n:1\r\n:2\r\n"),
  ])
  func `each value takes the form that its shape gives it`(shape: ReplyShape, reply: String, expected: String) {
    #expect(upgraded(reply, as: shape) == expected)
  }

  @Test func `what is cut off or malformed stays as it is`() {
    let whole = "*3\r\n$-1\r\n*2\r\n$1\r\na\r\n$3\r\n1.5\r\n:1\r\n"
    for shape in ReplyShape.allCases where ![.same, .map, .set].contains(shape) {
      for length in 0..<whole.utf8.count {
        let part = String(decoding: whole.utf8.prefix(length), as: UTF8.self)
        #expect(upgraded(part, as: shape) == part, "\(shape)")
      }
    }
    for reply in [
      "x\r\n", "*\r\n", "*x\r\n", "*-2\r\n", "$-2\r\n", "*1\r\n?\r\n", "$1\r\nab\r\n",
      "*99999999999999999999\r\n$-1\r\n",
      "*1000000000000\r\n$-1\r\n", "*2\r\n*9999999999\r\n$-1\r\n", "$9223372036854775807\r\n", "*1\r\n$-11\r\n",
    ] {
      #expect(upgraded(reply, as: .plain) == reply)
      #expect(upgraded(reply, as: .scoredMembers) == reply)
    }
  }

  @Test func `no depth is too deep`() {
    let depth = 100_000
    let nested = String(repeating: "*1\r\n", count: depth)
    for shape in [ReplyShape.plain, .documentedArguments, .commands] {
      #expect(upgraded(nested + "$-1\r\n", as: shape) == nested + "_\r\n", "\(shape)")
    }
    let arguments = String(repeating: "*1\r\n*2\r\n$9\r\narguments\r\n", count: 1000)
    let result = upgraded(arguments + "$-1\r\n", as: .documentedArguments)
    #expect(result.hasPrefix("*1\r\n%1\r\n$9\r\narguments\r\n*1\r\n%1\r\n"))
    #expect(result.hasSuffix("*1\r\n*2\r\n$9\r\narguments\r\n_\r\n"))
  }

  @Test func `the elements of a transaction's reply take the shapes of their commands`() {
    let reply = "*6\r\n*2\r\n$1\r\na\r\n:1\r\n$3\r\n1.5\r\n$2\r\nhi\r\n-ERR no\r\n*2\r\n$1\r\nm\r\n$1\r\n1\r\n$-1\r\n"
    let expected = "*6\r\n%1\r\n$1\r\na\r\n:1\r\n,1.5\r\n=6\r\ntxt:hi\r\n-ERR no\r\n*1\r\n*2\r\n$1\r\nm\r\n,1\r\n_\r\n"
    let shapes: [ReplyShape] = [.map, .double, .verbatim, .map, .scoredMembers, .plain]
    #expect(upgradedTransaction(reply, as: shapes) == expected)
    #expect(upgradedTransaction("*-1\r\n", as: shapes) == "_\r\n")
    #expect(upgradedTransaction("-EXECABORT no\r\n", as: shapes) == "-EXECABORT no\r\n")
    #expect(upgradedTransaction("*0\r\n", as: []) == "*0\r\n")
    // Fewer or more than there were commands: only what is certain.
    #expect(upgradedTransaction("*1\r\n$-1\r\n", as: shapes) == "*1\r\n_\r\n")
    #expect(upgradedTransaction("*1\r\n$-1\r\n", as: []) == "*1\r\n_\r\n")
    #expect(upgradedTransaction("*2\r\n$-1\r\n", as: [.plain, .plain]) == "*2\r\n$-1\r\n")
  }

  @Test(arguments: [
    ("ZRANGE k 0 -1", ReplyShape.same), ("ZRANGE k 0 -1 WITHSCORES", .scoredMembers),
    ("zrange k 0 -1 rev limit 0 1 withscores", .scoredMembers), ("ZRANGE WITHSCORES WITHSCORES -1", .same),
    ("ZUNION 1 withscores", .same), ("ZUNION 2 withscores k WITHSCORES", .scoredMembers),
    ("ZUNION 1 k WEIGHTS 2 AGGREGATE SUM withscores", .scoredMembers), ("ZUNION many k WITHSCORES", .scoredMembers),
    ("ZPOPMIN k", .scored), ("ZPOPMIN k 1", .scoredMembers), ("HRANDFIELD k 1", .same), ("HGETALL k", .map),
    ("HRANDFIELD k 1 WITHVALUES", .pairs), ("XINFO STREAM s", .stream), ("GET k", .plain),
    ("COMMAND INFO get", .commands), ("NONSENSE", .plain),
  ])
  func `the options of a command decide where the table says so`(line: String, shape: ReplyShape) {
    let bytes = RESPClient.encode(words(line))
    #expect(Words(line).spec.replyShape(of: bytes.span, in: []) == shape)
  }

  @Test func `commands without subcommands have an empty set, or an empty array where the server has one`() {
    let bytes = RESPClient.encode(["COMMAND", "INFO", "get"])
    let spec = Words("COMMAND INFO get").spec
    #expect(spec.replyShape(of: bytes.span, in: .hasArrayOfNoSubcommands) == .commandsByArrays)
    let inner = "*10\r\n" + String(repeating: "*0\r\n", count: 10)
    let outer = "*10\r\n" + String(repeating: "*0\r\n", count: 9) + "*1\r\n" + inner
    let head = "*10\r\n" + ["*0", "*0", "~0", "*0", "*0", "*0", "~0", "~0", "~0"].map { $0 + "\r\n" }.joined()
    #expect(upgraded("*1\r\n" + outer, as: .commands) == "*1\r\n\(head)*1\r\n\(head)~0\r\n")
    #expect(upgraded("*1\r\n" + outer, as: .commandsByArrays) == "*1\r\n\(head)*1\r\n\(head)*0\r\n")
  }

  @Test func `a shape takes a byte, and a line of the table hardly more than before`() {
    #expect(MemoryLayout<ReplyShape>.size == 1)
    #expect(MemoryLayout<ReplyRule>.size <= 16)
  }

  /// The reply after what is consumed and what stays, upgraded.
  private func upgraded(_ reply: String, as shape: ReplyShape) -> String {
    result(of: reply) { $0.upgradeReply(from: $1, as: shape) }
  }

  private func upgradedTransaction(_ reply: String, as shapes: [ReplyShape]) -> String {
    result(of: reply) { $0.upgradeTransaction(from: $1, as: shapes.span) }
  }

  private func result(of reply: String, _ upgrade: (inout ByteBuffer, Int) -> Void) -> String {
    var buffer = ByteBuffer()
    buffer.append("consumed+stays\r\n")
    buffer.append(utf8Of: reply)
    buffer.removeFirst(8)
    upgrade(&buffer, 8)
    let text = String(decoding: buffer.bytes, as: UTF8.self)
    #expect(text.hasPrefix("+stays\r\n"))
    return String(decoding: buffer.bytes.dropFirst(8), as: UTF8.self)
  }
}
