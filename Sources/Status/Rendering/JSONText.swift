/// Writes JSON (RFC 8259) as text, for answers that are built occasionally. JSONLog writes the log's many lines into a
/// bounded buffer instead.
public enum JSONText {
  /// Returns the text in quotes, escaped.
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

  /// Returns the text in quotes and escaped, or `null`.
  static func quote(_ text: String?) -> String { text.map(quote) ?? "null" }

  /// Returns a number; `null` for nil, infinities and NaN.
  static func number(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "null" }
    return Int64(exactly: number).map(String.init) ?? "\(number)"
  }

  /// Returns a time in seconds with three decimals.
  public static func seconds(milliseconds: Int64) -> String {
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
  }

  /// Returns an array; its elements are JSON already.
  public static func array(_ elements: [String]) -> String { "[\(elements.joined(separator: ","))]" }

  /// Returns an object; its values are JSON already.
  public static func object(_ members: KeyValuePairs<String, String>) -> String { object(Array(members)) }

  /// Returns an object with its members in this order; the values are JSON already.
  public static func object(_ members: [(key: String, value: String)]) -> String {
    "{\(members.map { "\(quote($0.key)):\($0.value)" }.joined(separator: ","))}"
  }
}
