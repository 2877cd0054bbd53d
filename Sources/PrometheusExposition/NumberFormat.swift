// Numbers in the form of the exposition formats.

/// Formats sample values and bucket bounds.
enum NumberFormat {
  /// Returns a sample's value. Whole numbers have no exponent; in OpenMetrics they end in `.0`, as floats do.
  static func sample(_ value: Double, _ format: ExpositionFormat) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    // Above 2^53 not every whole number is a double, and more digits would suggest precision that is not there.
    if value.magnitude < 0x1p53, let whole = Int64(exactly: value) {
      return format == .openMetrics100 ? "\(whole).0" : "\(whole)"
    }
    return value.description
  }

  /// Returns a bucket's bound in the form of "Canonical Numbers" in OpenMetrics 1.0.0: the shortest digits that read
  /// back as the same number, `.0` if it has neither point nor exponent, an exponent from 1e+06 on and below 0.0001.
  ///
  /// Both formats have this form: a bound is a label, and must not depend on the format that a scraper requests.
  static func bound(_ value: Double) -> String {
    let text = value.description
    // Swift has the same form for small numbers, and uses exponents from 2^54 on for large ones.
    guard value.magnitude >= 1e6, !text.contains("e") else { return text }
    let sign = value < 0 ? "-" : ""
    let parts = value.magnitude.description.split(separator: ".")
    let exponent = parts[0].count - 1
    var digits = parts.joined()
    while digits.last == "0" { digits.removeLast() }
    let mantissa = digits.count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
    return "\(sign)\(mantissa)e+\(exponent < 10 ? "0" : "")\(exponent)"
  }
}
