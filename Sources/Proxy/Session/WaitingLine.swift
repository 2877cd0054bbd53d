/// A line of clients in the order in which they came, which any of them may leave.
struct WaitingLine {
  private var line: [Int] = []
  /// The index of the first member of `line` that was not examined yet.
  private var start = 0
  private var waiting: Set<Int> = []

  var isEmpty: Bool { waiting.isEmpty }

  /// The number of members.
  var count: Int { waiting.count }

  /// The number of places in memory, including those of members that have left.
  var capacityUsed: Int { line.count }

  mutating func append(_ id: Int) {
    guard waiting.insert(id).inserted else { return }
    // Members that have left are still in the line: it is compacted when they are the greater part of it.
    if line.count > 16 + 2 * waiting.count { tidy() }
    line.append(id)
  }

  /// Removes and returns the first member; nil if the line is empty.
  mutating func popFirst() -> Int? {
    while start < line.count {
      let id = line[start]
      start += 1
      if waiting.remove(id) != nil { return id }
    }
    tidy()
    return nil
  }

  /// Removes a member; returns whether it was in the line.
  mutating func remove(_ id: Int) -> Bool { waiting.remove(id) != nil }

  private mutating func tidy() {
    line = line[start...].filter(waiting.contains)
    start = 0
  }
}
