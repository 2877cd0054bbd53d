/// Finds the name that a mistyped one most likely stands for.
enum NearestName {
  /// The number of characters that are compared: the comparison takes the product of both lengths.
  private static let longestCompared = 64

  /// Returns the candidate with the smallest distance, the first of equals; nil if all are too different for a typing
  /// error.
  static func find(_ name: String, among candidates: [String]) -> String? {
    let limit = max(1, min(4, name.count / 3))
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(from: name, to: candidate)
      if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.name
  }

  /// Returns the end of a sentence about an unknown name: `did you mean "x"?`, or the known names when none is near.
  static func hint(for name: String, among candidates: [String]) -> String {
    if let nearest = find(name, among: candidates) { return "did you mean \"\(nearest)\"?" }
    return candidates.isEmpty ? "there are none" : "known are \(candidates.joined(separator: ", "))"
  }

  /// Returns the number of single-character insertions, deletions, replacements and swaps of neighbours between two
  /// names (optimal string alignment).
  static func distance(from left: String, to right: String) -> Int {
    let left = Array(left.lowercased().utf8.prefix(longestCompared))
    let right = Array(right.lowercased().utf8.prefix(longestCompared))
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for i in left.indices {
      var row = [i + 1]
      for j in right.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[right.count]
  }
}
