import RESP
import Testing

@Suite("Reply scanner")
struct ReplyScannerTests {
  @Test func `it finds the end of each kind of reply, wherever its pieces end`() {
    for reply in [
      "+OK\r\n", "+\r\n", "-ERR no\r\n", ":-12\r\n", "$-1\r\n", "$0\r\n\r\n", "$4\r\na\r\nb\r\n", "*-1\r\n", "*0\r\n",
      "*2\r\n$1\r\na\r\n*3\r\n:1\r\n*0\r\n+x\r\n", "*1\r\n*1\r\n*1\r\n$-1\r\n",
    ] {
      let bytes = Array(reply.utf8)
      #expect(outcomes(bytes) == Array(repeating: .needsMore, count: bytes.count) + [.complete(length: bytes.count)])
      var scanner = ReplyScanner()
      let more = bytes + Array("+next\r\n".utf8)
      #expect(scanner.scan(more.span) == .complete(length: bytes.count), "\(reply)")
    }
  }

  @Test func `random replies, in random pieces`() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<300 {
      var buffer = ByteBuffer()
      buffer.append(value(depth: 0, &generator))
      let bytes = buffer.bytes
      var scanner = ReplyScanner()
      var end = 0
      var outcome = ReplyScanner.Outcome.needsMore
      while end < bytes.count, outcome == .needsMore {
        end = min(bytes.count, end + Int.random(in: 1...9, using: &generator))
        outcome = scanner.scan(bytes.span.extracting(0..<end))
      }
      #expect(outcome == .complete(length: bytes.count))
    }
  }

  @Test func `no depth is too deep, and no count takes memory`() {
    let depth = 200_000
    let deep = Array(String(repeating: "*1\r\n", count: depth).utf8) + Array(":1\r\n".utf8)
    var scanner = ReplyScanner()
    #expect(scanner.scan(deep.span) == .complete(length: deep.count))
    scanner = ReplyScanner()
    let large = Array("*1099511627776\r\n".utf8)
    #expect(scanner.scan(large.span) == .needsMore)
    let larger = large + Array("*1099511627776\r\n".utf8)
    #expect(scanner.scan(larger.span) == .malformed)
  }

  @Test(arguments: [
    "x\r\n", "%1\r\n", "_\r\n", "$\r\n", "$-2\r\n", "$a\r\n", "$1\r\nab\r\n", "$1\r\na\rb", "*x\r\n", "*-2\r\n",
    "*99999999999999999999\r\n", "$9223372036854775807\r\n", ":11111111111111111111111111111111111111", "*1\r\n?\r\n",
  ])
  func `what is no reply is malformed`(text: String) {
    #expect(outcomes(Array(text.utf8)).last == .malformed)
  }

  /// What is found in the first 0, 1, 2 … bytes, up to the first answer.
  private func outcomes(_ bytes: [UInt8]) -> [ReplyScanner.Outcome] {
    var scanner = ReplyScanner()
    var outcomes: [ReplyScanner.Outcome] = []
    for end in 0...bytes.count {
      outcomes.append(scanner.scan(bytes.span.extracting(0..<end)))
      if outcomes.last != .needsMore { break }
    }
    return outcomes
  }

  private func value(depth: Int, _ generator: inout SystemRandomNumberGenerator) -> RESPValue {
    switch Int.random(in: 0..<(depth < 12 ? 9 : 5), using: &generator) {
    case 0: .status("OK")
    case 1: .error("ERR x")
    case 2: .integer(Int.random(in: .min ... .max, using: &generator))
    case 3: .null
    case 4: .string((0..<Int.random(in: 0..<40, using: &generator)).map { UInt8($0 % 3 == 0 ? 13 : 10) })
    default: .array((0..<Int.random(in: 0..<4, using: &generator)).map { _ in value(depth: depth + 1, &generator) })
    }
  }
}
