internal import RESP
internal import Testing

@testable internal import MultiStore

@Suite("Digests of replies")
struct ReplyDigestTests {
  private static let replies = [
    "$1|a|", "$1|b|", "$0||", "*0|", "*2|$1|a|$1|b|", "*2|$1|b|$1|a|", "*2|$1|a|$1|a|", "*4|$1|a|$1|1|$1|b|$1|2|",
    "*4|$1|b|$1|2|$1|a|$1|1|", "*4|$1|a|$1|2|$1|b|$1|1|", "*3|*1|$1|a|:5|$-1|", "*3|:5|*1|$1|a|$-1|",
    "*3|$1|a|$1|b|$1|c|", "*2|$2|ab|$0||",
  ]

  @Test(
    "Two replies have the same digest if, and only if, they are compared as equal",
    arguments: [Comparison.ordered, .unordered, .unorderedPairs],
    ReplyComparison.allCases
  )
  func equality(comparison: Comparison, mode: ReplyComparison) {
    let comparer = ReplyComparer(mode: mode)
    for first in Self.replies.map(wire) {
      for second in Self.replies.map(wire) {
        let areEqual = comparer.areEqual(comparison, first.span, second.span)
        let haveSameDigest =
          ReplyDigest(first.span, comparison, mode) == ReplyDigest(second.span, comparison, mode)
        #expect(haveSameDigest == areEqual, "\(String(decoding: first + second, as: UTF8.self))")
      }
    }
  }

  @Test("Replies that may differ a little have none", arguments: Comparison.allCases)
  func possible(comparison: Comparison) {
    let mayDiffer = [.seconds, .milliseconds, .scores].contains(comparison)
    #expect(ReplyDigest.isPossible(comparison, .canonical) == !mayDiffer)
    #expect(ReplyDigest.isPossible(comparison, .exact))
  }

  @Test("A description has type, size and digest")
  func description() {
    let string = ReplyDigest(wire("$3|abc|").span, .ordered, .canonical).description
    #expect(string.wholeMatch(of: /string of 3 bytes \(digest [0-9a-f]{8}\)/) != nil, "\(string)")
    let array = ReplyDigest(wire("*2|$1|a|$1|b|").span, .unordered, .canonical).description
    #expect(array.wholeMatch(of: /array of 2 elements \(digest [0-9a-f]{8}\)/) != nil, "\(array)")
  }
}
