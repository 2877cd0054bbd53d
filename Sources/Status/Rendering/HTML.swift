/// A piece of markup. A literal is taken as markup; an interpolated string is escaped, and an interpolated piece is
/// not. So no value can become markup.
struct HTML: ExpressibleByStringInterpolation, Sendable {
  /// Collects the parts of one literal.
  struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var markup = ""

    init(literalCapacity: Int, interpolationCount: Int) {
      markup.reserveCapacity(literalCapacity)
    }

    mutating func appendLiteral(_ literal: String) { markup += literal }
    mutating func appendInterpolation(_ piece: HTML) { markup += piece.markup }
    mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { markup += piece.markup } }
    mutating func appendInterpolation(_ number: Int) { markup += String(number) }
    mutating func appendInterpolation(_ text: String) { markup += HTML.escape(text) }
  }

  /// The piece as text.
  let markup: String

  init(stringLiteral: String) { markup = stringLiteral }
  init(stringInterpolation: StringInterpolation) { markup = stringInterpolation.markup }

  /// Returns the piece if `condition` is true, and nothing otherwise.
  static func when(_ condition: Bool, _ piece: @autoclosure () -> HTML) -> HTML {
    condition ? piece() : ""
  }

  private static func escape(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
