/// Writing what RESP2 has no form for.
extension ByteBuffer {
  /// The header of a push of `count` elements, which follow.
  public mutating func appendPushHeader(_ count: Int) {
    append(UInt8(ascii: ">"))
    append(decimal: count)
    append("\r\n")
  }

  /// RESP3's one null.
  public mutating func appendRESP3Null() {
    append("_\r\n")
  }
}
