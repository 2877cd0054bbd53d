/// Comparing a value with the encoding of another one, without encoding it.
extension Span<UInt8> {
  /// Whether these bytes, which are one whole value, are the line of `type` with `text`.
  public func isLine(_ type: UInt8, _ text: Span<UInt8>) -> Bool {
    count == 1 + text.count + 2 && self[0] == type && extracting(1..<count - 2).hasSameBytes(as: text)
  }

  /// Whether these bytes, which are one whole value, are the line of `type` with `number`.
  public func isLine(_ type: UInt8, _ number: Int) -> Bool {
    let digits = Decimal(number)
    return isLine(type, digits.span)
  }

  /// Whether these bytes, which are one whole value, are the bulk string that holds `bytes`.
  public func isBulk(_ bytes: Span<UInt8>) -> Bool {
    // A header of this length can't announce another number of bytes.
    let header = 1 + Decimal.digitCount(bytes.count) + 2
    guard count == header + bytes.count + 2, self[0] == UInt8(ascii: "$") else { return false }
    return extracting(header..<count - 2).hasSameBytes(as: bytes)
  }
}
