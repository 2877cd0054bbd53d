internal import Glibc

/// Formats figures for people, the same on the page and in the terminal.
public enum HumanFormat {
  /// Returns a whole number with separators: `1,234,567`.
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

  /// Returns a number with its noun in the right form: `1 key`, `2 keys`.
  public static func count(_ number: Double, _ singular: String, _ plural: String? = nil) -> String {
    "\(count(number)) \(number == 1 ? singular : plural ?? singular + "s")"
  }

  /// Returns a share of one in percent: `12 %`, `0.12 %`. A value above zero never reads as zero.
  public static func percent(_ ratio: Double) -> String {
    let percent = ratio * 100
    if percent > 0, percent < 0.01 { return "under 0.01 %" }
    return "\(significant(percent)) %"
  }

  /// Returns a rate: `1,234/s`, `0.3/s`.
  public static func rate(_ perSecond: Double) -> String {
    perSecond >= 10 ? "\(count(perSecond.rounded()))/s" : "\(significant(perSecond))/s"
  }

  /// Returns a number of bytes in a unit of its size: `512 B`, `1.2 MiB`.
  public static func bytes(_ bytes: Double) -> String {
    var (number, unit) = (bytes, 0)
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024, unit < units.count - 1 { (number, unit) = (number / 1024, unit + 1) }
    return "\(significant(number)) \(units[unit])"
  }

  /// Returns a short time in a unit of its size: `85 µs`, `1.2 ms`, `3 s`.
  public static func latency(_ seconds: Double) -> String {
    switch seconds {
    case ..<0.000_999_5: "\(count((seconds * 1e6).rounded())) µs"
    case ..<0.999_5: "\(significant(seconds * 1000)) ms"
    default: "\(significant(seconds)) s"
    }
  }

  /// Returns a long time, rounded down, in its two largest units: `35 s`, `12 min`, `2 h 5 min`, `3 d 4 h`.
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

  /// Returns a time of day with its date: `2026-11-25 19:51:05 UTC`.
  public static func moment(milliseconds: Int64) -> String {
    let parts = iso8601(milliseconds: milliseconds).dropLast().split(separator: "T")
    return "\(parts[0]) \(parts[1]) UTC"
  }

  /// Returns a time in ISO 8601, to the second: `2026-11-25T19:51:05Z`.
  static func iso8601(milliseconds: Int64) -> String {
    var seconds = time_t(milliseconds / 1000)
    // The pointers are to local variables and not kept by the calls; the zone's name in `tm` is not read.
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = unsafe strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Returns two significant digits below 10, and a whole number above.
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
  /// The whole part, clamped to the limits; 0 for NaN.
  fileprivate init(clamping number: Double) {
    if number.isNaN {
      self = 0
    } else {
      self = Int64(exactly: number.rounded(.towardZero)) ?? (number < 0 ? .min : .max)
    }
  }
}
