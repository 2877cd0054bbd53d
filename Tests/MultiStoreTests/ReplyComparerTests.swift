internal import RESP
internal import Testing

@testable internal import MultiStore

@Suite("Comparing replies")
struct ReplyComparerTests {
  private func areEqual(
    _ comparison: Comparison,
    _ first: String,
    _ second: String,
    _ mode: ReplyComparison = .canonical
  ) -> Bool {
    let comparer = ReplyComparer(mode: mode)
    let (first, second) = (wire(first), wire(second))
    let result = comparer.areEqual(comparison, first.span, second.span)
    #expect(comparer.areEqual(comparison, second.span, first.span) == result, "the order must not matter")
    return result
  }

  @Test("The same bytes are equal by any rule", arguments: Comparison.allCases)
  func identical(comparison: Comparison) {
    for text in ["+OK|", "-ERR x|", ":1|", "$1|a|", "$-1|", "*-1|", "*2|:1|$1|a|"] {
      #expect(areEqual(comparison, text, text) && areEqual(comparison, text, text, .exact), "\(text)")
    }
  }

  @Test("Other values and other types differ by any rule but `ignored`", arguments: Comparison.allCases)
  func different(comparison: Comparison) {
    let pairs = [
      ("$1|a|", "$1|b|"), ("$1|1|", ":1|"), ("$-1|", "$0||"), ("*1|$1|a|", "*2|$1|a|$1|a|"), ("+OK|", "$2|OK|"),
      (":1|", "-ERR x|"), ("*0|", "$-1|"), (":-1|", ":-2|"), (":5|", ":-2|"),
    ]
    for (first, second) in pairs {
      #expect(areEqual(comparison, first, second) == (comparison == .ignored), "\(first) \(second)")
      #expect(!areEqual(comparison, first, second, .exact), "\(first) \(second)")
    }
  }

  @Test("Errors are equal when their codes are", arguments: Comparison.allCases.filter { $0 != .ignored })
  func errors(comparison: Comparison) {
    #expect(areEqual(comparison, "-WRONGTYPE one|", "-WRONGTYPE other words|"))
    #expect(!areEqual(comparison, "-WRONGTYPE one|", "-ERR one|"))
    #expect(!areEqual(comparison, "-WRONGTYPE one|", "-WRONGTYPE two|", .exact))
  }

  @Test("Order counts where the command promises one")
  func ordered() {
    #expect(!areEqual(.ordered, "*2|$1|a|$1|b|", "*2|$1|b|$1|a|"))
    #expect(!areEqual(.scores, "*2|$1|a|$1|b|", "*2|$1|b|$1|a|"))
  }

  @Test("Sets are compared as multisets")
  func unordered() {
    #expect(areEqual(.unordered, "*3|$1|a|$1|b|$1|a|", "*3|$1|a|$1|a|$1|b|"))
    #expect(!areEqual(.unordered, "*3|$1|a|$1|b|$1|a|", "*3|$1|b|$1|a|$1|b|"))
    #expect(!areEqual(.unordered, "*2|$1|a|$1|b|", "*2|$1|b|$1|a|", .exact))
  }

  @Test("Hashes are compared by their pairs")
  func pairs() {
    #expect(areEqual(.unorderedPairs, "*4|$1|f|$1|1|$1|g|$1|2|", "*4|$1|g|$1|2|$1|f|$1|1|"))
    #expect(!areEqual(.unorderedPairs, "*4|$1|f|$1|1|$1|g|$1|2|", "*4|$1|f|$1|2|$1|g|$1|1|"))
    // What is no row of pairs is compared in its order.
    #expect(!areEqual(.unorderedPairs, "*3|$1|a|$1|b|$1|c|", "*3|$1|b|$1|a|$1|c|"))
  }

  @Test("Times may be a second apart, whatever their size")
  func times() {
    for base in [100, 86_400, 1_700_000_000] {
      #expect(areEqual(.seconds, ":\(base)|", ":\(base + 1)|"))
      #expect(!areEqual(.seconds, ":\(base)|", ":\(base + 2)|"))
    }
    for base in [1, 50_000, 86_400_000, 1_700_000_000_000] {
      #expect(areEqual(.milliseconds, ":\(base)|", ":\(base + 1000)|"))
      #expect(!areEqual(.milliseconds, ":\(base)|", ":\(base + 1001)|"))
    }
    #expect(areEqual(.seconds, "*2|:100|:-2|", "*2|:101|:-2|"))
    #expect(!areEqual(.seconds, "*2|:100|:-2|", "*2|:101|:-1|"))
    #expect(!areEqual(.seconds, ":-1|", ":1|") && areEqual(.milliseconds, ":0|", ":1|"))
    #expect(!areEqual(.seconds, ":1|", ":\(Int.max)|") && !areEqual(.milliseconds, ":1|", ":\(Int.max)|"))
    #expect(!areEqual(.seconds, ":100|", ":101|", .exact))
  }

  @Test("Scores are compared as numbers")
  func scores() {
    #expect(areEqual(.scores, "$3|0.1|", "$19|0.10000000000000001|"))
    #expect(areEqual(.scores, "*2|$1|a|$3|0.1|", "*2|$1|a|$19|0.10000000000000001|"))
    #expect(areEqual(.scores, "$3|inf|", "$8|Infinity|"))
    #expect(!areEqual(.scores, "$3|0.1|", "$3|0.2|"))
    #expect(!areEqual(.scores, "$3|nan|", "$3|NaN|"))
    #expect(!areEqual(.ordered, "$3|0.1|", "$19|0.10000000000000001|"))
    #expect(!areEqual(.scores, "$3|0.1|", "$19|0.10000000000000001|", .exact))
  }

  @Test("What can't agree is not compared, unless plain equality is asked for")
  func ignored() {
    #expect(areEqual(.ignored, "$1|a|", "*0|"))
    #expect(!areEqual(.ignored, "$1|a|", "*0|", .exact))
  }
}
