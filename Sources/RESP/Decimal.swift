/// An integer's digits.
struct Decimal {
  /// The most bytes there can be: a minus sign and 19 digits.
  static let longest = 20

  private var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "-"))
  private var first = longest

  init(_ integer: Int) {
    var magnitude = integer.magnitude
    repeat {
      let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: 10)
      first -= 1
      digits[first] = UInt8(truncatingIfNeeded: remainder) &+ UInt8(ascii: "0")
      magnitude = quotient
    } while magnitude > 0
    if integer < 0 { first -= 1 }
  }

  /// The number of bytes of `integer`, which is not negative.
  @inline(__always)
  static func digitCount(_ integer: Int) -> Int {
    integer < 10 ? 1 : Decimal(integer).span.count
  }

  /// The number as ASCII.
  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { digits.span.extracting(first...) }
  }
}
