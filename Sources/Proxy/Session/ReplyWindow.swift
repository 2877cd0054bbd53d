/// The number of one client's commands that are executed as one pipeline, chosen so that their replies fit into a
/// bound: replies can't be held back once their commands were sent.
struct ReplyWindow {
  /// The most bytes that the replies to one pipeline should have, unless it is one command.
  static let targetBytes = 4 << 20
  /// The first size of a window: the size of a new client's replies is unknown.
  private static let initialCommands = 32

  /// The most commands that the next pipeline may have; at least 1.
  private(set) var commands = initialCommands
  private let maxCommands: Int

  /// - Parameter maxCommands: The most commands of a pipeline, however small their replies are.
  init(maxCommands: Int) {
    self.maxCommands = maxCommands
  }

  /// Adapts to the replies that the last pipeline had.
  @inline(__always)
  mutating func executed(_ count: Int, replyBytes: Int) {
    if replyBytes > Self.targetBytes {
      commands = max(1, Self.targetBytes / (replyBytes / max(1, count)))
    } else if count >= commands {
      commands = min(maxCommands, commands * 2)
    }
  }
}
