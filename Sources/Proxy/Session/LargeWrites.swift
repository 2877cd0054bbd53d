/// The large commands of an instance's clients that both stores execute. Few of their bytes are in flight at once: a
/// small command of another client has to wait for those before it at either store. Confined to the instance's loop.
struct LargeWrites {
  /// The most bytes in flight. A larger command is in flight alone.
  private static let mostBytesUnderWay = 16 << 20

  private var underWay = 0
  private var waiting: [(session: Session, bytes: Int)] = []

  /// Begins a command of `bytes` bytes if there is room.
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

  /// Ends a command of `bytes` bytes.
  ///
  /// - Returns: the next session, whose command begins now; call this again then, with 0.
  mutating func end(_ bytes: Int) -> (session: Session, bytes: Int)? {
    underWay -= bytes
    guard let next = waiting.first, hasRoom(next.bytes) else { return nil }
    underWay += next.bytes
    return waiting.removeFirst()
  }

  private func hasRoom(_ bytes: Int) -> Bool { underWay == 0 || underWay + bytes <= Self.mostBytesUnderWay }
}
