/// The number of one client's commands that may be in flight over a connection. The window grows while the client takes
/// its replies, and shrinks when they pile up, since commands cannot be recalled once they are sent.
struct ForwardWindow {
  private static let initialCommands = 32

  /// The present size of the window; at least 1.
  private(set) var commands: Int
  private let maxCommands: Int
  /// Whether the window has held back a command since the last replies.
  private var wasFull = false

  /// - Parameter maxCommands: The most commands that there may be; at least 1.
  init(maxCommands: Int) {
    self.maxCommands = maxCommands
    commands = min(maxCommands, Self.initialCommands)
  }

  /// Whether another command may be sent.
  @inline(__always)
  mutating func hasRoom(_ inFlight: Int) -> Bool {
    if inFlight < commands { return true }
    wasFull = true
    return false
  }

  /// Adapts the window at the end of a turn.
  ///
  /// - Parameters:
  ///   - hasReplied: Whether small replies have come in this turn.
  ///   - owed: Bytes of replies that the client has not taken.
  ///   - highWater: The untaken bytes from which the window shrinks.
  @inline(__always)
  mutating func adapt(hasReplied: Bool, owed: Int, highWater: Int) {
    if owed >= highWater {
      commands = max(1, commands / 2)
      wasFull = false
    } else if hasReplied, owed == 0 {
      if wasFull { commands = min(maxCommands, commands * 2) }
      wasFull = false
    }
  }
}
