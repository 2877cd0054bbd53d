// Names that Prometheus' data model allows, and the conversion of names that libraries give their metrics through
// swift-metrics (`http.requests`, `db-latency`).

/// Rules for the names of metrics and labels.
enum MetricName {
  /// Whether a metric can have the name: `[a-zA-Z_][a-zA-Z0-9_]*`.
  ///
  /// The data model allows colons too, but reserves them for recording rules.
  static func isLegal(_ name: String) -> Bool {
    guard let first = name.utf8.first else { return false }
    return !isDigit(first) && name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
  }

  /// Whether a label can have the name: one that a metric can have, and that is not reserved.
  ///
  /// `__…` is reserved by Prometheus; the exposition itself writes `le` and `quantile`.
  static func isLegalLabel(_ name: String) -> Bool {
    isLegal(name) && !isReservedLabel(name)
  }

  /// The endings that are reserved for counters and the parts of a histogram.
  static let reservedEndings = ["_total", "_count", "_sum", "_bucket"]

  /// Returns a legal name for a library's metric, with the ending that its kind requires.
  ///
  /// - Parameters:
  ///   - name: Any text. A metric that is no counter and has the name of one, such as a gauge `jobs_total`, becomes
  ///     `jobs_total_value`.
  ///   - ending: `_total`, `_seconds` or empty; appended unless the name has it.
  static func sanitized(_ name: String, ending: String) -> String {
    let legal = replacingIllegal(name)
    let complete = legal.hasSuffix(ending) ? legal : legal + ending
    let isReserved = ending != "_total" && reservedEndings.contains(where: complete.hasSuffix)
    return isReserved ? complete + "_value" : complete
  }

  /// Returns a library's labels with legal names: the first of two labels with the same name is kept, and reserved
  /// names are changed.
  static func sanitized(labels: [(String, String)]) -> [(String, String)] {
    var result: [(String, String)] = []
    for (name, value) in labels {
      var legal = replacingIllegal(name)
      if isReservedLabel(legal) {
        legal = legal.hasPrefix("_") ? "exported" + legal : "exported_" + legal
      }
      if !result.contains(where: { $0.0 == legal }) {
        result.append((legal, value))
      }
    }
    return result
  }

  private static func isReservedLabel(_ name: String) -> Bool {
    name.hasPrefix("__") || name == "le" || name == "quantile"
  }

  private static func replacingIllegal(_ name: String) -> String {
    var result = ""
    for byte in name.utf8 {
      // A scalar of several bytes becomes one underscore.
      if byte & 0xC0 == 0x80 { continue }
      if result.isEmpty && isDigit(byte) { result = "_" }
      let kept = isLetter(byte) || isDigit(byte)
      result.unicodeScalars.append(kept ? Unicode.Scalar(byte) : "_")
    }
    return result.isEmpty ? "_" : result
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    let lower = byte | 0x20
    return byte == UInt8(ascii: "_") || (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z"))
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
