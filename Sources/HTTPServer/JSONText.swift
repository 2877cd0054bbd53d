/// Writes JSON (RFC 8259).
public enum JSONText {
  /// The text in quotes, with what has to be escaped escaped.
  public static func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        quoted += scalar.value < 0x10 ? "\\u000" : "\\u00"
        quoted += String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// The text in quotes, or `null`.
  static func quote(_ text: String?) -> String { text.map(quote) ?? "null" }

  /// A number, or `null` for none and for what JSON has no number for.
  static func number(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "null" }
    return Int64(exactly: number).map(String.init) ?? "\(number)"
  }

  /// Seconds with three digits behind the point, out of whole milliseconds, or `null`.
  static func seconds(milliseconds: Int64?) -> String {
    guard let milliseconds else { return "null" }
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
  }

  /// An array of what is JSON already.
  static func array(_ elements: [String]) -> String { "[\(elements.joined(separator: ","))]" }

  /// An object whose values are JSON already.
  static func object(_ members: KeyValuePairs<String, String>) -> String {
    "{\(members.map { "\(quote($0.key)):\($0.value)" }.joined(separator: ","))}"
  }
}
