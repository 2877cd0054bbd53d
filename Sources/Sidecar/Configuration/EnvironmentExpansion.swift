internal import HTTPServer

/// Replaces `${NAME}` in values by the variables of the environment.
///
/// `$${` stands for a literal `${`, and any other `$` for itself. The value of a variable is used as it is: it is
/// neither expanded again nor read as YAML.
struct EnvironmentExpansion {
  /// One part of a text: from the file, or the name of a variable.
  private enum Part {
    case literal(Substring)
    case variable(String)
  }

  /// Returns the value of a variable; nil when it is not set.
  let variable: @Sendable (String) -> String?

  /// Returns the text with every `${NAME}` replaced.
  func expand(_ text: String) throws(ValueMistake) -> String {
    try expand(text) { (literal) throws(ValueMistake) in String(literal) }
  }

  /// Does the same for a part of a URL: percent-encoding is decoded in the file's text and not in variables, so that a
  /// password in a variable needs no encoding.
  func expandDecodingPercents(_ text: some StringProtocol) throws(ValueMistake) -> String {
    try expand(String(text), literal: Self.decodePercents)
  }

  /// Whether the text contains a `${NAME}`.
  static func isExpandable(_ text: String) -> Bool {
    guard let parts = try? parts(of: text) else { return true }
    return parts.contains { if case .variable = $0 { true } else { false } }
  }

  private func expand(
    _ text: String,
    literal: (Substring) throws(ValueMistake) -> String
  ) throws(ValueMistake) -> String {
    var result = ""
    for part in try Self.parts(of: text) {
      switch part {
      case .literal(let text): result += try literal(text)
      case .variable(let name):
        guard let value = variable(name) else {
          throw ValueMistake("the environment variable \(name) is not set")
        }
        result += value
      }
    }
    return result
  }

  private static func parts(of text: String) throws(ValueMistake) -> [Part] {
    var parts: [Part] = []
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      let after = rest[dollar...]
      if after.hasPrefix("$${") {
        parts.append(.literal(rest[..<dollar]))
        parts.append(.literal("${"))
        rest = after.dropFirst(3)
      } else if after.hasPrefix("${") {
        parts.append(.literal(rest[..<dollar]))
        guard let end = after.firstIndex(of: "}") else {
          throw ValueMistake("a ${ without its closing brace; write $${ for a literal ${")
        }
        let name = after[after.index(after.startIndex, offsetBy: 2)..<end]
        guard isName(name) else {
          throw ValueMistake(
            "between ${ and } has to be the name of an environment variable; write $${ for a literal ${"
          )
        }
        parts.append(.variable(String(name)))
        rest = after[after.index(after: end)...]
      } else {
        parts.append(.literal(rest[...dollar]))
        rest = after.dropFirst()
      }
    }
    parts.append(.literal(rest))
    return parts
  }

  /// Whether a POSIX shell can set a variable of this name: letters, digits and underscores, not beginning with a
  /// digit.
  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.first, !first.isWholeNumber else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isWholeNumber) || $0 == "_" }
  }

  /// Returns the text with percent-encoding decoded.
  static func decodePercents(_ text: Substring) throws(ValueMistake) -> String {
    guard let bytes = PercentEncoding.bytes(of: text) else {
      throw ValueMistake("a percent sign in a URL has to be followed by two hexadecimal digits; write %25 for %")
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw ValueMistake("the percent-encoded characters are not UTF-8 text")
    }
    return decoded
  }
}
