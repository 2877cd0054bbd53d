internal import TLS

/// The names of keys in reports.
enum KeyName {
  /// The digits of a digest: 64 bits, enough to tell the keys of one list apart.
  private static let digestDigits = 16
  /// The bytes of a name that are shown.
  private static let shownBytes = 200

  /// Returns the first digits of a name's SHA-256.
  static func digest(of name: [UInt8]) -> String { String(SHA256.hexadecimal(of: name).prefix(digestDigits)) }

  /// Returns a name with everything but printable ASCII escaped, so that it cannot control a terminal.
  static func text(of name: [UInt8]) -> String {
    var text = ""
    for byte in name.prefix(shownBytes) {
      switch byte {
      case UInt8(ascii: "\\"): text += "\\\\"
      case 0x20...0x7e: text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return name.count > shownBytes ? "\(text)… (\(name.count) bytes)" : text
  }
}
