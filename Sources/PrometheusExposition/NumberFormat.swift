// Numbers as the exposition formats write them.

/// Text for sample values and bucket bounds.
enum NumberFormat {
  /// A sample's value. Whole numbers are written without exponent; OpenMetrics' say with `.0` that they are floats.
  static func sample(_ value: Double, _ format: ExpositionFormat) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    // Above 2^53 not every whole number is a double, and writing out digits would feign precision.
    if value.magnitude < 0x1p53, let whole = Int64(exactly: value) {
      return format == .openMetrics100 ? "\(whole).0" : "\(whole)"
    }
    return value.description
  }

  /// A bucket's bound, as OpenMetrics 1.0.0 asks for in "Canonical Numbers": the shortest digits that read back as the
  /// same number, `.0` if neither point nor exponent says that it is a float, an exponent from 1e+06 on and below
  /// 0.0001.
  ///
  /// Written so in both formats: a bound is a label, and must not change with the format a scraper happens to ask for.
  static func bound(_ value: Double) -> String {
    let text = value.description
    // Swift agrees about small numbers and begins to use exponents at 2^54 for large ones.
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
