/// Large commands that both stores execute, of all clients of an instance. Few bytes of them are under way at once: a
/// small command of another client has to wait for what stands before it at either store. Confined to the instance's
/// loop.
struct LargeWrites {
  /// One larger command is under way alone.
  private static let mostBytesUnderWay = 16 << 20

  private var underWay = 0
  private var waiting: [(session: Session, bytes: Int)] = []

  /// Begins one of so many bytes if there is room.
  ///
  /// - Returns: false if `session` has to wait; ``end(_:)`` returns it in its turn.
  mutating func begin(_ session: Session, bytes: Int) -> Bool {
    guard waiting.isEmpty, hasRoom(bytes) else {
      waiting.append((session, bytes))
      return false
    }
    underWay += bytes
    return true
  }

  /// One of so many bytes has ended.
  ///
  /// - Returns: the next session whose command begins now; then to be called again, with 0.
  mutating func end(_ bytes: Int) -> (session: Session, bytes: Int)? {
    underWay -= bytes
    guard let next = waiting.first, hasRoom(next.bytes) else { return nil }
    underWay += next.bytes
    return waiting.removeFirst()
  }

  private func hasRoom(_ bytes: Int) -> Bool { underWay == 0 || underWay + bytes <= Self.mostBytesUnderWay }
}
