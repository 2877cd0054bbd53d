/// One client's WATCH, from its first key to EXEC. It is void once the default store has moved.
public struct KeyWatch: Equatable, Sendable {
  /// The number of moves of the default store before the watch began.
  fileprivate let moveCount: UInt64
}

/// The reason why EXEC is answered with nil although no watched key is known to have changed: the label `reason`.
public enum WatchLoss: String, CaseIterable, Sendable {
  /// The default store moved before EXEC, so that a later change would not have been noticed.
  case defaultMoved = "default_moved"
  /// The connection that watched was lost, and the server has forgotten the keys.
  case connectionLost = "connection_lost"
}

/// The clients that watch keys on the default store. A move of the default store waits for them, within the limit of
/// the hold, and makes the remaining watches void.
struct OpenWatches {
  private var moveCount: UInt64 = 0
  /// The number of clients that have not ended their WATCH since the default store moved last.
  private(set) var count = 0

  mutating func begin() -> KeyWatch {
    count += 1
    return KeyWatch(moveCount: moveCount)
  }

  /// Ends a watch. Does nothing for one that is void, which a move has removed already.
  mutating func end(_ watch: KeyWatch) {
    guard isOpen(watch) else { return }
    precondition(count > 0, "a watch ends more often than it began")
    count -= 1
  }

  /// Whether the keys are still watched on the store that is the default one.
  func isOpen(_ watch: KeyWatch) -> Bool { watch.moveCount == moveCount }

  /// Makes all open watches void.
  ///
  /// - Returns: the number of watches that were open.
  mutating func defaultStoreMoved() -> Int {
    defer { count = 0 }
    moveCount += 1
    return count
  }
}
