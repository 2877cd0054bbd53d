/// Writing RESP2 into a buffer.
extension ByteBuffer {
  /// Appends a line of `type`, such as `+`, with `text`.
  public mutating func appendLine(_ type: UInt8, _ text: Span<UInt8>) {
    append(upTo: 1 + text.count + 2) { line in
      line.append(type)
      line.append(copying: text)
      line.appendLineEnd()
    }
  }

  /// Appends a line of `type`, such as `:`, with `number`.
  private mutating func appendLine(_ type: UInt8, _ number: Int) {
    append(upTo: Self.mostNumberLineBytes) { $0.appendLine(type, number) }
  }

  /// The longest line with a number, in bytes.
  private static let mostNumberLineBytes = 1 + Decimal.longest + 2

  /// Appends `+text`. The text has no line break.
  public mutating func appendStatus(_ text: StaticString) {
    append(UInt8(ascii: "+"))
    append(text)
    appendLineEnd()
  }

  /// Appends `-text`. Line breaks in it become spaces, so that an error can't pretend to be two replies.
  public mutating func appendError(_ text: String) {
    append(UInt8(ascii: "-"))
    for byte in text.utf8 {
      append(byte == 0x0a || byte == 0x0d ? UInt8(ascii: " ") : byte)
    }
    appendLineEnd()
  }

  /// Appends `:value`.
  public mutating func appendInteger(_ value: Int) {
    appendLine(UInt8(ascii: ":"), value)
  }

  /// Appends the header of a bulk string of `count` bytes, which follow.
  public mutating func appendBulkHeader(_ count: Int) {
    appendLine(UInt8(ascii: "$"), count)
  }

  /// Appends the bulk string that holds `bytes`.
  public mutating func appendBulk(_ bytes: Span<UInt8>) {
    append(upTo: Self.mostNumberLineBytes + bytes.count + 2) { bulk in
      bulk.appendLine(UInt8(ascii: "$"), bytes.count)
      bulk.append(copying: bytes)
      bulk.appendLineEnd()
    }
  }

  /// Appends the bulk string that holds the UTF-8 of `string`.
  public mutating func appendBulk(_ string: String) {
    appendBulkHeader(string.utf8.count)
    append(utf8Of: string)
    appendLineEnd()
  }

  /// Appends the bulk string that holds a literal's UTF-8.
  @_disfavoredOverload
  public mutating func appendBulk(_ literal: StaticString) {
    appendBulkHeader(literal.utf8CodeUnitCount)
    append(literal)
    appendLineEnd()
  }

  /// Appends the bulk string that holds `integer` in decimal.
  public mutating func appendBulk(decimal integer: Int) {
    appendBulk(Decimal(integer).span)
  }

  /// Appends the null bulk string.
  public mutating func appendNull() {
    append("$-1\r\n")
  }

  /// Appends the null array: a server's reply to an EXEC that a WATCH aborted.
  public mutating func appendNullArray() {
    append("*-1\r\n")
  }

  /// Appends the header of an array of `count` elements, which follow.
  public mutating func appendArrayHeader(_ count: Int) {
    appendLine(UInt8(ascii: "*"), count)
  }

  private mutating func appendLineEnd() {
    append(upTo: 2) { $0.appendLineEnd() }
  }
}
