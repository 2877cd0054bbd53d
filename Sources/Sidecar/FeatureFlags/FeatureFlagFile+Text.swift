extension FeatureFlagFile {
  private static let heading = """
    # Feature flags of multistore-exporter. Watched: what is saved here holds for the next command.
    # The admin API rewrites single lines of this file and leaves comments alone.

    """

  /// Returns the text of a file with these flags.
  ///
  /// The original's comments and order are kept if each flag has a line of its own; a file of another form (flags in
  /// braces, quoted names) is rewritten, sorted by name.
  func text(replacing original: [UInt8]?) -> [UInt8] {
    if let original, let text = edited(String(decoding: original, as: UTF8.self)) {
      return Array(text.utf8)
    }
    let lines = entries.sorted { $0.name < $1.name }.map { "\(Self.line($0))\n" }
    return Array((Self.heading + (lines.isEmpty ? "{}\n" : lines.joined())).utf8)
  }

  /// Returns the original with single lines changed; nil when the result does not have these flags.
  private func edited(_ original: String) -> String? {
    var missing = entries
    var lines: [String] = []
    for line in original.split(separator: "\n", omittingEmptySubsequences: false) {
      guard let name = Self.name(inLine: line) else {
        lines.append(String(line))
        continue
      }
      guard let index = missing.firstIndex(where: { $0.name == name }) else { continue }
      lines.append(Self.replaceValue(inLine: line, by: missing.remove(at: index)))
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    lines += missing.map(Self.line)
    if entries.isEmpty { lines.append("{}") }
    let text = lines.joined(separator: "\n") + "\n"
    guard let result = try? FeatureFlagFile(parsing: Array(text.utf8)) else { return nil }
    let byName = { (entries: [Entry]) in entries.sorted { $0.name < $1.name } }
    return byName(result.entries) == byName(entries) ? text : nil
  }

  private static func line(_ entry: Entry) -> String {
    "\(entry.name): \(entry.isOn)"
  }

  /// Returns the flag that a line of the form `name: value` sets.
  private static func name(inLine line: Substring) -> String? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    let name = String(line[..<colon])
    return isName(name) ? name : nil
  }

  /// Returns the line with another value; the rest of the line, such as a comment, is kept.
  private static func replaceValue(inLine line: Substring, by entry: Entry) -> String {
    guard let colon = line.firstIndex(of: ":") else { return self.line(entry) }
    let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    let rest = value.drop { $0.isLetter }
    return self.line(entry) + rest
  }
}
