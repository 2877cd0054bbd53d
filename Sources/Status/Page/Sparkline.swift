/// Draws a small curve of the recent window. Its label says the same in words.
struct Sparkline {
  private static let width = 300.0
  private static let height = 56.0
  /// Space for half of the line's width.
  private static let margin = 3.0

  /// The name of the figure, for the label.
  let title: String
  /// The values by interval, oldest first; nil for an interval without one.
  let values: [Double?]
  /// The number of values in a full window; fewer are shown at its end.
  let capacity: Int
  /// The length of a full window, in seconds.
  let windowSeconds: Double
  /// Formats a value for people.
  let format: (Double) -> String

  var svg: HTML {
    """
    <svg class="sparkline" viewBox="0 0 300 56" preserveAspectRatio="none" role="img" aria-label="\(label)">
    <path class="ground" d="M0 53H300"/>\(runs.map(curve))</svg>
    """
  }

  /// The curve in words.
  var label: String {
    let known = values.compactMap(\.self)
    guard let last = known.last, let most = known.max(), let least = known.min() else {
      return "\(title): nothing to show yet"
    }
    let span = HumanFormat.duration(windowSeconds)
    if most == least { return "\(title): \(format(last)) all over the last \(span)" }
    return "\(title) over the last \(span): now \(format(last)), between \(format(least)) and \(format(most))"
  }

  /// The highest value, at the upper edge of the curve; nil without values.
  var peak: Double? { values.compactMap(\.self).max() }

  /// The runs of consecutive values, with their positions.
  private var runs: [[(place: Int, value: Double)]] {
    var runs: [[(place: Int, value: Double)]] = [[]]
    let first = max(0, capacity - values.count)
    for (index, value) in values.enumerated() {
      if let value {
        runs[runs.count - 1].append((first + index, value))
      } else if runs.last?.isEmpty == false {
        runs.append([])
      }
    }
    return runs.filter { !$0.isEmpty }
  }

  private func curve(_ run: [(place: Int, value: Double)]) -> HTML {
    let points = run.map { x(of: $0.place) + " " + y(of: $0.value) }
    guard let first = run.first, let last = run.last else { return "" }
    // One value alone is a short level line: a line from a point to itself is invisible.
    let line = points.joined(separator: "L") + (run.count == 1 ? "h2" : "")
    let bottom = Self.decimal(Self.height - Self.margin)
    return """
      <path class="area" d="M\(x(of: first.place)) \(bottom)L\(line)\
      L\(x(of: last.place)) \(bottom)z"/><path class="line" d="M\(line)"/>
      """
  }

  private func x(of place: Int) -> String {
    Self.decimal(Double(place) / Double(max(1, capacity - 1)) * (Self.width - 2))
  }

  private func y(of value: Double) -> String {
    let share = (peak ?? 0) > 0 ? value / (peak ?? 1) : 0
    return Self.decimal(Self.height - Self.margin - share * (Self.height - 2 * Self.margin))
  }

  /// Returns a coordinate with one decimal.
  private static func decimal(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return tenths.isMultiple(of: 10) ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
  }
}
