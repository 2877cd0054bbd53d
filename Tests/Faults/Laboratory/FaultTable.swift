/// The results of runs as a Markdown table, one row for each fault, part and state.
public struct FaultTable {
  /// The line after which a document has the table.
  public static let begin = "<!-- Tests/faults.sh --document writes what follows -->"
  /// The line that ends it there.
  public static let end = "<!-- end of what Tests/faults.sh writes -->"

  private let results: [FaultCase: FaultResult]
  private let settings: [FaultCase.Settings]

  /// A table with a column of waits for each of the settings.
  public init(_ results: [FaultResult], settings: [FaultCase.Settings]) {
    self.results = Dictionary(results.map { ($0.item, $0) }) { $1 }
    self.settings = settings
  }

  /// The names of its columns.
  public static func columns(_ settings: [FaultCase.Settings]) -> [String] {
    let waits = settings.map { "longest wait, `\($0.acknowledgement)` / `\($0.readPolicy)`" }
    return ["fault", "state", "what clients see"] + waits
      + [
        "half-seconds without service", "after the first timeout", "back after", "keys that healed",
        "keys that differ then",
      ]
  }

  /// The first cell of a fault's rows.
  public static func cell(_ fault: Fault, of part: Fault.Part) -> String { "\(part.rawValue): \(fault.title)" }

  /// The table's text, with a line end after each row.
  public var markdown: String {
    let columns = Self.columns(settings)
    let head = [columns, columns.map { _ in "---" }]
    return (head + rows).map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  /// The longest time that a client without a sidecar and without a fault waited.
  public var longestWaitOfControl: Duration { results.values.map(\.longestWaitOfControl).max() ?? .zero }

  private var rows: [[String]] {
    Fault.Part.allCases.flatMap { part in
      Fault.allCases.flatMap { fault in
        FaultCase.State.allCases.compactMap { state in row(fault, part, state) }
      }
    }
  }

  private func row(_ fault: Fault, _ part: Fault.Part, _ state: FaultCase.State) -> [String]? {
    let all = settings.map { results[FaultCase(fault, of: part, state, $0)] }
    let found = all.compactMap(\.self)
    guard !found.isEmpty else { return nil }
    let healed = found.map { "\($0.healedKeys) of \($0.keys)" }
    let unserved = found.map(\.unserved).max { $0.count < $1.count } ?? (0, 0)
    let late = found.map(\.unservedAfterFirstTimeout).max { $0.count < $1.count } ?? (0, 0)
    return [Self.cell(fault, of: part), state.rawValue, Self.experience(found)]
      + all.map { $0.map { Self.text($0.longestWait) } ?? "" }
      + [
        "\(unserved.count) of \(unserved.of)", part == .otherStore ? "\(late.count) of \(late.of)" : "",
        Self.text(found.map(\.recovery).max() ?? .zero), healed.joined(separator: ", "),
        "\(found.map(\.differingKeys.count).max() ?? 0)",
      ]
  }

  private static func experience(_ results: [FaultResult]) -> String {
    let errors = results.reduce(into: [:]) { $0.merge($1.errors, uniquingKeysWith: +) }
    let wrong = results.reduce(0) { $0 + $1.wrongAnswers.count }
    var parts: [String] = []
    if let (text, _) = errors.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      let short = text.replacing("|", with: "/").prefix(60)
      parts.append("\(errors.values.reduce(0, +)) errors (`\(short)`)")
    }
    if wrong > 0 { parts.append("\(wrong) wrong answers") }
    return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
  }

  /// A duration with the unit that suits it.
  public static func text(_ duration: Duration) -> String {
    let milliseconds = Int((duration / .milliseconds(1)).rounded())
    guard milliseconds >= 1_000 else { return "\(milliseconds) ms" }
    let hundredths = (milliseconds + 5) / 10
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
  }
}
