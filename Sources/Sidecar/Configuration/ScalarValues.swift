/// Reads and writes numbers, sizes and durations of a configuration.
enum ScalarValues {
  /// The units of durations, in ascending order.
  private static let durationUnits: [(suffix: String, milliseconds: Int)] = [
    ("ms", 1), ("s", 1000), ("m", 60 * 1000), ("h", 60 * 60 * 1000),
  ]
  /// The units of sizes, in ascending order: powers of 1024 only, as Redis' own `mb` and the usual `MB` differ.
  private static let sizeUnits: [(suffix: String, bytes: Int)] = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30),
  ]

  /// Reads `true` or `false`.
  static func boolean(_ text: String) -> Bool? {
    switch text {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// Reads decimal digits, without sign or separators.
  static func integer(_ text: some StringProtocol) -> Int? {
    text.allSatisfy { $0.isASCII && $0.isWholeNumber } ? Int(text) : nil
  }

  /// Reads a number of bytes: `512MiB`, `64KiB`, or digits alone.
  static func size(_ text: String) -> Int? {
    for unit in sizeUnits where text.hasSuffix(unit.suffix) {
      return integer(text.dropLast(unit.suffix.count)).flatMap { scale($0, by: unit.bytes) }
    }
    return integer(text)
  }

  /// Reads `250ms`, `5s`, `2m` or `1h`; nil for a number without a unit.
  static func duration(_ text: String) -> Duration? {
    for unit in durationUnits where text.hasSuffix(unit.suffix) {
      // "5ms" ends in "s" as well; "5m" is not a number, so the search continues.
      guard let number = integer(text.dropLast(unit.suffix.count)) else { continue }
      return scale(number, by: unit.milliseconds).map { .milliseconds($0) }
    }
    return nil
  }

  /// Returns a size in the largest unit that divides it.
  static func text(size: Int) -> String {
    guard size > 0, let unit = sizeUnits.last(where: { size.isMultiple(of: $0.bytes) }) else { return String(size) }
    return "\(size / unit.bytes)\(unit.suffix)"
  }

  /// Returns a duration in the largest unit that divides it.
  static func text(duration: Duration) -> String {
    let milliseconds = Int(duration / .milliseconds(1))
    let unit = durationUnits.last { milliseconds >= $0.milliseconds && milliseconds.isMultiple(of: $0.milliseconds) }
    guard let unit else { return "0s" }
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }

  private static func scale(_ number: Int, by factor: Int) -> Int? {
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : product
  }
}
