/// How many commands of one client may be in flight over a connection at once. While the client takes its replies the
/// window grows; when they pile up it shrinks, since a store can't be stopped once it has been asked.
struct ForwardWindow {
  private static let initialCommands = 32

  /// At least 1.
  private(set) var commands: Int
  private let maxCommands: Int
  /// It has held back a command since the last replies.
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

  /// Adapts at the end of a turn.
  ///
  /// - Parameters:
  ///   - hasReplied: Small replies have come in this turn.
  ///   - owed: Bytes of replies that the client has not taken.
  ///   - highWater: So many are too many.
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
