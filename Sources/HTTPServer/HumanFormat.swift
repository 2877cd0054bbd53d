internal import Glibc

/// Figures as a person reads them, the same in a browser and in a terminal.
public enum HumanFormat {
  /// A whole number with its thousands apart: `1,234,567`.
  public static func count(_ number: Double) -> String {
    let digits = String(Int64(clamping: number))
    var result = ""
    for (index, digit) in digits.enumerated() {
      let left = digits.count - index
      if index > 0, left.isMultiple(of: 3), result != "-" { result += "," }
      result.append(digit)
    }
    return result
  }

  /// A number of things with the right form of its noun: `1 key`, `2 keys`.
  public static func count(_ number: Double, _ singular: String, _ plural: String? = nil) -> String {
    "\(count(number)) \(number == 1 ? singular : plural ?? singular + "s")"
  }

  /// A share of one: `12 %`, `0.12 %`; what is not nothing never reads as nothing.
  public static func percent(_ ratio: Double) -> String {
    let percent = ratio * 100
    if percent > 0, percent < 0.01 { return "under 0.01 %" }
    return "\(significant(percent)) %"
  }

  /// How often something happens: `1,234/s`, `0.3/s`.
  public static func rate(_ perSecond: Double) -> String {
    perSecond >= 10 ? "\(count(perSecond.rounded()))/s" : "\(significant(perSecond))/s"
  }

  /// A short time, in a unit that suits it: `85 µs`, `1.2 ms`, `3 s`.
  public static func latency(_ seconds: Double) -> String {
    switch seconds {
    case ..<0.000_999_5: "\(count((seconds * 1e6).rounded())) µs"
    case ..<0.999_5: "\(significant(seconds * 1000)) ms"
    default: "\(significant(seconds)) s"
    }
  }

  /// A long time, rounded down, in its two largest units: `35 s`, `12 min`, `2 h 5 min`, `3 d 4 h`.
  public static func duration(_ seconds: Double) -> String {
    let seconds = Int64(clamping: max(0, seconds))
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400)
    func pair(_ large: String, _ small: Int64, _ unit: String) -> String {
      small == 0 ? large : "\(large) \(small) \(unit)"
    }
    if days > 0 { return pair("\(days) d", hours % 24, "h") }
    if hours > 0 { return pair("\(hours) h", minutes % 60, "min") }
    return minutes > 0 ? "\(minutes) min" : "\(seconds) s"
  }

  /// A moment: `2026-11-25 19:51:05 UTC`.
  public static func moment(milliseconds: Int64) -> String {
    let parts = iso8601(milliseconds: milliseconds).dropLast().split(separator: "T")
    return "\(parts[0]) \(parts[1]) UTC"
  }

  /// A moment as ISO 8601 has it, to the second.
  static func iso8601(milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
  }

  /// Two digits that count below 10, whole numbers above.
  private static func significant(_ number: Double) -> String {
    guard number < 9.95 else { return count(number.rounded()) }
    let places = number < 0.995 ? 100.0 : 10.0
    let scaled = Int64((number * places).rounded())
    let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int64(places))
    guard fraction != 0 else { return "\(whole)" }
    let digits = places == 100 && fraction < 10 ? "0\(fraction)" : "\(fraction)"
    return "\(whole).\(digits.hasSuffix("0") ? String(digits.dropLast()) : digits)"
  }
}

extension Int64 {
  /// The whole part, at the limits for what is beyond them, and 0 for what is no number.
  fileprivate init(clamping number: Double) {
    if number.isNaN {
      self = 0
    } else {
      self = Int64(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max)
    }
  }
}
