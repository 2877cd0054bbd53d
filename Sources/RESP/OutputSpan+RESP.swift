/// Writing the parts of a value in place, where one check of the capacity serves them all.
extension OutputSpan<UInt8> {
  /// Appends a line of `type`, such as `:`, with `number`.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func appendLine(_ type: UInt8, _ number: Int) {
    append(type)
    append(decimal: number)
    appendLineEnd()
  }

  /// Appends `integer` in decimal: at most ``Decimal/longest`` bytes.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func append(decimal integer: Int) {
    // Most lengths and numbers have one digit or two.
    switch integer {
    case 0..<10: append(Self.digit(integer))
    case 10..<100:
      append(Self.digit(integer / 10))
      append(Self.digit(integer % 10))
    default:
      let digits = Decimal(integer)
      append(copying: digits.span)
    }
  }

  /// Appends all of `bytes`.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func append(copying bytes: Span<UInt8>) {
    precondition(bytes.count <= freeCapacity, "more bytes are appended than there is room for")
    // The standard library has no function for this yet. There is room, and the two can't overlap.
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      unsafe bytes.withUnsafeBufferPointer { bytes in
        _ = unsafe UnsafeMutableBufferPointer(rebasing: buffer[count...]).initialize(fromContentsOf: bytes)
        count += bytes.count
      }
    }
  }

  /// Appends the end of a line.
  @inline(__always)
  @_lifetime(self: copy self)
  mutating func appendLineEnd() {
    append(UInt8(ascii: "\r"))
    append(UInt8(ascii: "\n"))
  }

  @inline(__always)
  private static func digit(_ value: Int) -> UInt8 { UInt8(truncatingIfNeeded: value) &+ UInt8(ascii: "0") }
}
