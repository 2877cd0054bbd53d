/// The extent of a whole, well-formed RESP2 reply.
///
/// Everything that rewrites a reply relies on an extent having been found: each line then has its end, and no count or
/// length leads outside of the reply.
struct ReplyExtent {
  /// The position after the reply.
  var end: Int
  /// The number of values in it, arrays included.
  var values: Int
  /// Whether one of them is null.
  var hasNulls: Bool
  /// The number of the reply's elements, if it is an array.
  var elements: Int?

  /// The most digits of a count or a length: more than any reply has, and no sum of them overflows.
  private static let mostDigits = 12

  /// Finds the extent of the reply that begins at `start`; nil if it is cut off or malformed.
  init?(of bytes: Span<UInt8>, from start: Int) {
    var at = start
    var left = 1
    var values = 0
    var hasNulls = false
    var elements: Int?
    while left > 0 {
      // The shortest value takes three bytes: counts beyond what the bytes can hold end here.
      guard bytes.count &- at >= 3, left <= bytes.count &- at else { return nil }
      left &-= 1
      values &+= 1
      let type = bytes[at]
      at &+= 1
      switch type {
      case UInt8(ascii: "$"), UInt8(ascii: "*"):
        guard let number = Self.number(in: bytes, at: &at) else { return nil }
        if number < 0 {
          hasNulls = true
        } else if type == UInt8(ascii: "*") {
          left += number
          if values == 1 { elements = number }
        } else {
          guard number &+ 2 <= bytes.count &- at, Self.isLineEnd(bytes, at &+ number) else { return nil }
          at &+= number &+ 2
        }
      case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"):
        while at + 1 < bytes.count, !Self.isLineEnd(bytes, at) { at += 1 }
        guard at + 1 < bytes.count else { return nil }
        at += 2
      default: return nil
      }
    }
    end = at
    self.values = values
    self.hasNulls = hasNulls
    self.elements = elements
  }

  /// Returns the number at `at`, which moves behind its line: digits alone, or -1. Nil for anything else.
  @inline(__always)
  static func number(in bytes: Span<UInt8>, at: inout Int) -> Int? {
    let first = at
    var number = 0
    // Whole numbers of more digits than allowed are refused below: until then, they may wrap.
    while at < bytes.count {
      let digit = bytes[at] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      number = number &* 10 &+ Int(digit)
      at &+= 1
    }
    if at == first {
      guard bytes.count - at > 1, bytes[at] == UInt8(ascii: "-"), bytes[at + 1] == UInt8(ascii: "1") else { return nil }
      number = -1
      at += 2
    }
    guard at &- first <= mostDigits, bytes.count &- at >= 2, isLineEnd(bytes, at) else { return nil }
    at &+= 2
    return number
  }

  @inline(__always)
  private static func isLineEnd(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
    bytes[at] == UInt8(ascii: "\r") && bytes[at &+ 1] == UInt8(ascii: "\n")
  }
}
