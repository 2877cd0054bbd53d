/// Percent-encoding of URLs (RFC 3986 section 2.1) and of forms.
public enum PercentEncoding {
  /// Decodes `%XX`; nil for a `%` without two hexadecimal digits, a zero byte, or bytes that are not UTF-8.
  static func decode(_ text: some StringProtocol) -> String? {
    guard let bytes = bytes(of: text), !bytes.contains(0) else { return nil }
    return String(validating: bytes, as: UTF8.self)
  }

  /// Decodes `%XX` to bytes; nil for a `%` without two hexadecimal digits.
  public static func bytes(of text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    var rest = text.utf8.makeIterator()
    while let byte = rest.next() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.next().flatMap(hexValue), let low = rest.next().flatMap(hexValue) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  /// Encodes everything but the unreserved characters of RFC 3986 section 2.3.
  public static func encode(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        encoded += byte < 16 ? "%0" : "%"
        encoded += String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }

  /// Returns the fields of an `application/x-www-form-urlencoded` body; nil if it is malformed.
  static func decodeForm(_ body: [UInt8]) -> [HTTPField]? {
    guard let text = String(validating: body, as: UTF8.self) else { return nil }
    var fields: [HTTPField] = []
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = parts.count == 2 ? decodeFormPart(parts[1]) : ""
      guard let name = decodeFormPart(parts[0]), let value else { return nil }
      fields.append(HTTPField(name, value))
    }
    return fields
  }

  private static func decodeFormPart(_ part: Substring) -> String? {
    decode(String(part.map { $0 == "+" ? " " : $0 }))
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
