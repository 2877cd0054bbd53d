/// Writing the types of RESP3 that RESP2 lacks.
extension ByteBuffer {
  /// Appends the header of a push of `count` elements, which follow.
  public mutating func appendPushHeader(_ count: Int) {
    append(UInt8(ascii: ">"))
    append(decimal: count)
    append("\r\n")
  }

  /// Appends RESP3's one null.
  public mutating func appendRESP3Null() {
    append("_\r\n")
  }
}
