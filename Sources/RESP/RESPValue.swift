/// A RESP2 reply as a Swift value, for the library's interface and for comparisons that need values.
public enum RESPValue: Hashable, Sendable {
  /// `+OK`
  case status(String)
  /// `-ERR …`, without the minus
  case error(String)
  /// `:1`
  case integer(Int)
  /// `$3 foo`, any bytes
  case string([UInt8])
  /// `$-1` or `*-1`
  case null
  /// `*2 …`
  case array([RESPValue])

  /// The text of a bulk string or status, or nil for anything else and for bytes that are not UTF-8.
  public var text: String? {
    switch self {
    case .status(let text): text
    case .string(let bytes): String(validating: bytes, as: UTF8.self)
    default: nil
    }
  }
}

extension RESPValue {
  /// The most levels of arrays in a reply that is decoded: deeper than any command's reply, shallow enough for the
  /// stack.
  public static let maxDepth = 64

  /// Decodes the header of the array that begins at `position`, and moves `position` to its first element.
  ///
  /// - Returns: the number of elements; nil if there is no array.
  public static func decodeArrayHeader(_ bytes: Span<UInt8>, at position: inout Int) -> Int? {
    guard position < bytes.count, bytes[position] == UInt8(ascii: "*"), let line = lineEnd(bytes, from: position + 1),
      let count = number(bytes.extracting(position + 1..<line)), count >= 0
    else { return nil }
    position = line + 2
    return count
  }

  /// Decodes the reply that begins at `position` and moves `position` behind it.
  ///
  /// - Returns: nil when there is no whole, well-formed reply.
  public static func decode(_ bytes: Span<UInt8>, at position: inout Int, depth: Int = 0) -> RESPValue? {
    guard position < bytes.count, depth <= maxDepth else { return nil }
    let type = bytes[position]
    guard let line = lineEnd(bytes, from: position + 1) else { return nil }
    let header = bytes.extracting(position + 1..<line)
    position = line + 2
    switch type {
    case UInt8(ascii: "+"): return .status(text(header))
    case UInt8(ascii: "-"): return .error(text(header))
    case UInt8(ascii: ":"): return number(header).map(RESPValue.integer)
    case UInt8(ascii: "$"):
      guard let length = number(header) else { return nil }
      if length < 0 { return .null }
      guard length <= bytes.count - position - 2 else { return nil }
      let body = bytes.extracting(position..<position + length)
      position += length + 2
      return .string(body.array)
    case UInt8(ascii: "*"):
      guard let count = number(header) else { return nil }
      if count < 0 { return .null }
      // An element takes at least three bytes, so a higher count is false, and no memory is reserved for it.
      guard count <= (bytes.count - position) / 3 else { return nil }
      var elements: [RESPValue] = []
      elements.reserveCapacity(count)
      for _ in 0..<count {
        guard let element = decode(bytes, at: &position, depth: depth + 1) else { return nil }
        elements.append(element)
      }
      return .array(elements)
    default: return nil
    }
  }

  private static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    var at = start
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "\r"), bytes[at + 1] == UInt8(ascii: "\n") { return at }
      at += 1
    }
    return nil
  }

  private static func number(_ bytes: Span<UInt8>) -> Int? {
    Int(text(bytes))
  }

  private static func text(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.array, as: UTF8.self)
  }
}

extension Span<UInt8> {
  /// A copy of the bytes.
  public var array: [UInt8] {
    // The standard library copies from a raw buffer with one memcpy; the span keeps it alive meanwhile.
    unsafe withUnsafeBufferPointer { unsafe Array($0) }
  }

  /// Whether both hold the same bytes.
  public func hasSameBytes(as other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    let first = unsafe bytes
    let second = unsafe other.bytes
    var at = 0
    // Eight bytes at once: values may be large.
    while at + 8 <= first.byteCount {
      // Both have eight bytes from there on, and any bytes are a number.
      let differs =
        unsafe first.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
        != second.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
      if differs { return false }
      at += 8
    }
    while at < count {
      if self[at] != other[at] { return false }
      at += 1
    }
    return true
  }

  /// Feeds the bytes to `hasher`.
  public func hash(into hasher: inout Hasher) {
    // The buffer is lent for the time of the call.
    unsafe withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
  }
}

extension Span<UInt8> {
  /// Whether these are the bytes of `literal`.
  public func hasSameBytes(as literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    // A literal's bytes are in the binary and never move.
    for index in indices where unsafe self[index] != literal.utf8Start[index] { return false }
    return true
  }

  /// Whether these are the bytes of `literal`, whose letters are upper case, in any case.
  public func isKeyword(_ literal: StaticString) -> Bool {
    guard count == literal.utf8CodeUnitCount else { return false }
    for index in indices {
      var byte = self[index]
      if byte >= UInt8(ascii: "a"), byte <= UInt8(ascii: "z") { byte -= 0x20 }
      // A literal's bytes are in the binary and never move.
      if unsafe byte != literal.utf8Start[index] { return false }
    }
    return true
  }

  /// The decimal integer that the bytes spell, or nil.
  public var decimal: Int? {
    guard !isEmpty, count <= 20 else { return nil }
    let isNegative = self[0] == UInt8(ascii: "-")
    let first = isNegative || self[0] == UInt8(ascii: "+") ? 1 : 0
    guard first < count else { return nil }
    var value = 0
    for index in first..<count {
      let digit = self[index] &- UInt8(ascii: "0")
      let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      guard digit < 10, !isTooLarge else { return nil }
      // Towards the sign, since the smallest integer has no opposite.
      let next =
        isNegative ? product.subtractingReportingOverflow(Int(digit)) : product.addingReportingOverflow(Int(digit))
      guard !next.overflow else { return nil }
      value = next.partialValue
    }
    return value
  }
}

extension ByteBuffer {
  /// Appends `value` as RESP2.
  public mutating func append(_ value: RESPValue) {
    switch value {
    case .status(let text):
      append(UInt8(ascii: "+"))
      append(utf8Of: text)
      append("\r\n")
    case .error(let text): appendError(text)
    case .integer(let integer): appendInteger(integer)
    case .string(let bytes): appendBulk(bytes.span)
    case .null: appendNull()
    case .array(let elements):
      appendArrayHeader(elements.count)
      for element in elements { append(element) }
    }
  }
}
