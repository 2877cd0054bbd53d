/// An integer's digits.
struct Decimal {
  // A minus sign and 19 digits are the most there can be.
  private var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "-"))
  private var first = 20

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

  /// The number as ASCII.
  var span: Span<UInt8> {
    @_lifetime(borrow self)
    get { digits.span.extracting(first...) }
  }
}
