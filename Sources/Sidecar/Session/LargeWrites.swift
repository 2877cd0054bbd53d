/// Large commands that both stores execute, of all clients of an instance. Few are under way at once: a small command
/// of another client has to wait for those that stand before it at either store. Confined to the instance's loop.
struct LargeWrites {
  /// While one store executes one of them, the other store executes another.
  private static let mostUnderWay = 2

  private var underWayCount = 0
  private var waiting: [Session] = []

  /// Begins one if there is room.
  ///
  /// - Returns: false if `session` has to wait; ``Session/largeWriteMayBegin()`` is called in its turn.
  mutating func begin(_ session: Session) -> Bool {
    guard underWayCount < Self.mostUnderWay else {
      waiting.append(session)
      return false
    }
    underWayCount += 1
    return true
  }

  /// One has ended.
  ///
  /// - Returns: the session that takes its place.
  mutating func end() -> Session? {
    guard !waiting.isEmpty else {
      underWayCount -= 1
      return nil
    }
    return waiting.removeFirst()
  }
}
