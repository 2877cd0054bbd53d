/// How many commands of one client are executed as one pipeline, so that their replies fit into a bound: what a store
/// has been asked for can't be held back.
struct ReplyWindow {
  /// The replies to one pipeline are to have this size at most, unless it is one command.
  static let targetBytes = 4 << 20
  /// Nothing is known about the size of a new client's replies.
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
