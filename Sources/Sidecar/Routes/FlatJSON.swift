internal import HTTPServer

/// Reads a JSON object (RFC 8259) whose values are strings, `true` or `false`, as clients of the admin API send it.
/// Foundation's reader costs more memory than the process may have.
enum FlatJSON {
  /// Returns the members in their order, the values as text; nil for anything else.
  static func read(_ body: [UInt8]) -> [HTTPField]? {
    var reader = Reader(rest: body[...])
    guard let members = reader.object(), reader.isAtEnd else { return nil }
    return members
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return rest.isEmpty
      }
    }

    mutating func object() -> [HTTPField]? {
      guard take("{") else { return nil }
      var members: [HTTPField] = []
      if take("}") { return members }
      repeat {
        guard let name = string(), take(":"), let value = value() else { return nil }
        members.append(HTTPField(name, value))
      } while take(",")
      return take("}") ? members : nil
    }

    private mutating func value() -> String? {
      for word in ["true", "false"] where take(word) { return word }
      return string()
    }

    private mutating func string() -> String? {
      guard take("\"") else { return nil }
      var text: [UInt8] = []
      while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
        case UInt8(ascii: "\\"):
          guard let scalar = escape() else { return nil }
          text += Array(String(scalar).utf8)
        case ..<0x20: return nil
        default: text.append(byte)
        }
      }
      return nil
    }

    /// Reads the part of an escape after the backslash.
    private mutating func escape() -> Unicode.Scalar? {
      switch rest.popFirst() {
      case UInt8(ascii: "\""): "\""
      case UInt8(ascii: "\\"): "\\"
      case UInt8(ascii: "/"): "/"
      case UInt8(ascii: "b"): "\u{8}"
      case UInt8(ascii: "f"): "\u{c}"
      case UInt8(ascii: "n"): "\n"
      case UInt8(ascii: "r"): "\r"
      case UInt8(ascii: "t"): "\t"
      case UInt8(ascii: "u"): unicodeEscape()
      default: nil
      }
    }

    private mutating func unicodeEscape() -> Unicode.Scalar? {
      guard let first = hexadecimal() else { return nil }
      guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
      guard rest.popFirst() == UInt8(ascii: "\\"), rest.popFirst() == UInt8(ascii: "u"), let second = hexadecimal(),
        UTF16.isTrailSurrogate(second)
      else { return nil }
      return Unicode.Scalar(0x10000 + (UInt32(first) - 0xd800) << 10 + UInt32(second) - 0xdc00)
    }

    private mutating func hexadecimal() -> UInt16? {
      let digits = rest.prefix(4)
      guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
      rest = rest.dropFirst(4)
      return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Takes a token, with white space before it.
    private mutating func take(_ token: String) -> Bool {
      skipSpace()
      guard rest.starts(with: token.utf8) else { return false }
      rest = rest.dropFirst(token.utf8.count)
      return true
    }

    private mutating func skipSpace() {
      rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
    }
  }
}
