/// Clients in the order in which they came, any of which may leave the line.
struct WaitingLine {
  private var line: [Int] = []
  /// The first of `line` that has not been looked at.
  private var start = 0
  private var waiting: Set<Int> = []

  var isEmpty: Bool { waiting.isEmpty }

  /// Places in memory, of those that have left as well.
  var capacityUsed: Int { line.count }

  mutating func append(_ id: Int) {
    guard waiting.insert(id).inserted else { return }
    // Members that have left are still in the line: it is tidied when they are the greater part of it.
    if line.count > 16 + 2 * waiting.count { tidy() }
    line.append(id)
  }

  /// Takes the first one out; nil if nobody waits.
  mutating func popFirst() -> Int? {
    while start < line.count {
      let id = line[start]
      start += 1
      if waiting.remove(id) != nil { return id }
    }
    tidy()
    return nil
  }

  /// Whether it was in the line.
  mutating func remove(_ id: Int) -> Bool { waiting.remove(id) != nil }

  private mutating func tidy() {
    line = line[start...].filter(waiting.contains)
    start = 0
  }
}
