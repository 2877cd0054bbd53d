// Legal names: what Prometheus' data model allows, and how the names that other libraries give their metrics through
// swift-metrics (`http.requests`, `db-latency`) are made legal.

/// Rules for the names of metrics and labels.
enum MetricName {
  /// Whether it may name a metric: `[a-zA-Z_][a-zA-Z0-9_]*`.
  ///
  /// The data model allows colons too, but keeps them for recording rules.
  static func isLegal(_ name: String) -> Bool {
    guard let first = name.utf8.first else { return false }
    return !isDigit(first) && name.utf8.allSatisfy { isLetter($0) || isDigit($0) }
  }

  /// Whether it may name a label: as a metric, but not one of the names that are spoken for.
  ///
  /// `__…` is Prometheus' own; `le` and `quantile` are written by the exposition itself.
  static func isLegalLabel(_ name: String) -> Bool {
    isLegal(name) && !isReservedLabel(name)
  }

  /// The endings that only counters and the parts of a histogram may have.
  static let reservedEndings = ["_total", "_count", "_sum", "_bucket"]

  /// A legal name for a metric that somebody else named, with the ending that its kind asks for.
  ///
  /// - Parameters:
  ///   - name: Any text. What is no counter and ends like one (`jobs_total`, a gauge) becomes `jobs_total_value`.
  ///   - ending: `_total`, `_seconds` or empty; appended unless it is there.
  static func sanitized(_ name: String, ending: String) -> String {
    let legal = replacingIllegal(name)
    let complete = legal.hasSuffix(ending) ? legal : legal + ending
    let isReserved = ending != "_total" && reservedEndings.contains(where: complete.hasSuffix)
    return isReserved ? complete + "_value" : complete
  }

  /// Legal label names for what somebody else gave: the first of two labels of the same name is kept, and reserved
  /// names are moved out of the way.
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
      // A scalar of several bytes becomes one underscore, not several.
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
