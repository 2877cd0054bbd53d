internal import RESP
internal import Testing

@testable internal import MultiStore

@Suite("Differences between pipelines")
struct PipelineDiffTests {
  private func describe(_ reply: String, isFull: Bool = false) -> String {
    PipelineDiff.describe(wire(reply).span, isFull: isFull)
  }

  @Test("The first element is kept in full, the others are counted")
  func first() {
    var diff = PipelineDiff()
    #expect(diff.isEmpty)
    for (index, command) in [(5, CommandID.get), (2, .set), (7, .mget)] {
      diff.add(
        index: index,
        command: command,
        kind: index == 7 ? .mismatch : .gap,
        defaultReply: describe(":\(index)|", isFull: true),
        otherReply: describe("$-1|", isFull: true)
      )
    }
    // Replies of a store come in order, but those of commands that failed may come first.
    #expect(diff.count == 3 && diff.firstIndex == 2 && diff.firstCommand == .set && !diff.isEmpty)
    #expect(diff.elements.map(\.command) == [.get, .set, .mget])
    #expect(diff.gapCount == 2 && diff.firstKind == .gap && diff.kind == .mismatch, "one mismatch makes the whole one")
    #expect(diff.defaultDescription == "2" && diff.otherDescription == "nil")
  }

  @Test("A description has type, length and digest, and not what lies in the store")
  func redacted() {
    let digest = /\(digest [0-9a-f]{8}\)/
    let secret = describe("$12|token-secret|")
    #expect(secret.hasPrefix("string of 12 bytes (digest ") && secret.firstMatch(of: digest) != nil)
    #expect(!secret.contains("secret"))
    #expect(describe("*2|$6|secret|$1|b|").hasPrefix("array of 2 elements (digest "))
    #expect(!describe("*2|$6|secret|$1|b|").contains("secret"))
    #expect(describe(":42|").hasPrefix("integer (digest ") && !describe(":42|").contains("42 "))
    #expect(describe("-WRONGTYPE secret|") == "error WRONGTYPE")
    #expect(describe("$-1|") == "nil" && describe("*-1|") == "nil")
    #expect(describe("+OK|") == "status OK")
    #expect(describe("nonsense") == "an unreadable reply")
  }

  @Test("The same value has the same digest, another one another")
  func digest() {
    #expect(describe("$1|a|") == describe("$1|a|"))
    #expect(describe("$1|a|") != describe("$1|b|"))
    // A value's digest says nothing of where it was.
    #expect(Set((0..<100).map { describe(":\($0)|") }).count > 95)
  }

  @Test("Values are shown when they are asked for, and cut short")
  func full() {
    #expect(describe("$1|a|", isFull: true) == "\"a\"")
    #expect(describe("*3|:1|$-1|-ERR no|", isFull: true) == "[1, nil, error ERR no]")
    #expect(describe("+OK|", isFull: true) == "OK")
    #expect(describe("$1000|\(String(repeating: "x", count: 1000))|", isFull: true).count == 256)
    let many = "*100|" + String(repeating: ":1|", count: 100)
    #expect(describe(many, isFull: true) == "[" + Array(repeating: "1", count: 16).joined(separator: ", ") + "]")
  }
}
