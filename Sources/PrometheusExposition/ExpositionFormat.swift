// The two formats, and the choice by a scraper's Accept header.

/// A format of the page that Prometheus scrapes.
public enum ExpositionFormat: Sendable, CaseIterable {
  /// Prometheus' text format 0.0.4, which every scraper reads.
  case text004
  /// OpenMetrics 1.0.0, which Prometheus requests by default.
  case openMetrics100

  /// The value of the `Content-Type` header.
  public var contentType: String {
    switch self {
    case .text004: "text/plain; version=0.0.4; charset=utf-8"
    case .openMetrics100: "application/openmetrics-text; version=1.0.0; charset=utf-8"
    }
  }

  /// Returns the format that an `Accept` header prefers by its q-values (RFC 9110 section 12.5.1).
  ///
  /// Of two with the same weight, the one named more precisely wins, then the one named first. Without a header, or if
  /// it accepts neither, the result is the text format, so that a scraper with other wishes gets a page too.
  public static func negotiate(accept: String?) -> ExpositionFormat {
    guard let accept else { return .text004 }
    let ranges = accept.split(separator: ",").enumerated().compactMap { MediaRange(String($1), position: $0) }
    let text = preference(for: .text004, in: ranges)
    let openMetrics = preference(for: .openMetrics100, in: ranges)
    return openMetrics.isBetter(than: text) ? .openMetrics100 : .text004
  }

  private static func preference(for format: ExpositionFormat, in ranges: [MediaRange]) -> Preference {
    var best: Preference?
    for range in ranges {
      guard let precision = range.precision(for: format) else { continue }
      let candidate = Preference(weight: range.weight, precision: precision, position: range.position)
      guard let current = best else {
        best = candidate
        continue
      }
      // The most precise range decides; of several with the same precision (versions of one type) the best one.
      let isMorePrecise = candidate.precision > current.precision
      let isHeavier = candidate.precision == current.precision && candidate.weight > current.weight
      if isMorePrecise || isHeavier { best = candidate }
    }
    return best ?? Preference(weight: 0, precision: 0, position: .max)
  }
}

/// The preference of a scraper for a format.
private struct Preference {
  var weight: Double
  var precision: Int
  var position: Int

  func isBetter(than other: Preference) -> Bool {
    if weight != other.weight { return weight > other.weight }
    if weight == 0 { return false }
    if precision != other.precision { return precision > other.precision }
    return position < other.position
  }
}

/// One element of an `Accept` header.
private struct MediaRange {
  var type: String
  var version: String?
  var weight = 1.0
  var position: Int

  /// Reads `type/subtype; version=…; q=…`; nil if the weight is no number from 0 to 1.
  init?(_ text: String, position: Int) {
    self.position = position
    var parts = text.split(separator: ";").map(MediaRange.trimmed)
    guard !parts.isEmpty else { return nil }
    type = parts.removeFirst().lowercased()
    for part in parts {
      let pair = part.split(separator: "=", maxSplits: 1).map(MediaRange.trimmed)
      guard pair.count == 2 else { continue }
      switch pair[0].lowercased() {
      case "q":
        guard let weight = Double(pair[1]), weight >= 0, weight <= 1 else { return nil }
        self.weight = weight
      case "version":
        version = pair[1]
      default:
        continue
      }
    }
  }

  /// Returns the precision with which the range names a format: 3 by type, 2 by `type/*`, 1 by `*/*`; nil if it does
  /// not.
  func precision(for format: ExpositionFormat) -> Int? {
    switch (format, type) {
    case (_, "*/*"): 1
    case (.text004, "text/*"), (.openMetrics100, "application/*"): 2
    case (.text004, "text/plain"): version == nil || version == "0.0.4" ? 3 : nil
    // 0.0.1 is the draft that Prometheus requested before 1.0.0; this output is valid as either.
    case (.openMetrics100, "application/openmetrics-text"):
      version == nil || version == "1.0.0" || version == "0.0.1" ? 3 : nil
    default: nil
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let blank: Set<Character> = [" ", "\t", "\""]
    let head = text.drop(while: blank.contains)
    return String(head.reversed().drop(while: blank.contains).reversed())
  }
}
