/// The rule by which the table gives the shape of a command's reply.
public enum ReplyRule: Hashable, Sendable {
  /// One shape, whatever the options.
  case always(ReplyShape)
  /// `more` with at least `arguments` arguments, the name included, otherwise `fewer`: ZPOPMIN with COUNT.
  case byCount(_ arguments: Int, _ more: ReplyShape, _ fewer: ReplyShape)
  /// Members with scores if WITHSCORES is among the options, which begin at argument `optionsAt`.
  case scores(optionsAt: Int)
  /// The same, where the options follow a number of keys, which is argument 1, and those keys.
  case scoresAfterKeys
  /// Commands, whose form depends on the server.
  case commands
}

extension CommandSpec {
  /// Returns the shape of the reply to `command`, its whole bytes. Allocates nothing.
  ///
  /// - Parameter dialect: The dialect of the server that replies, looked up only if the shape depends on it.
  @inline(__always)
  public func replyShape(of command: Span<UInt8>, in dialect: @autoclosure () -> ServerDialect) -> ReplyShape {
    if case .always(let shape) = reply { return shape }
    return replyShape(byOptionsOf: command, in: dialect())
  }

  private func replyShape(byOptionsOf command: Span<UInt8>, in dialect: ServerDialect) -> ReplyShape {
    var arguments = ArgumentCursor(command)
    let optionsAt: Int
    switch reply {
    case .always(let shape): return shape
    case .byCount(let count, let more, let fewer): return arguments.count >= count ? more : fewer
    case .scores(let index): optionsAt = index
    case .commands: return dialect.contains(.hasArrayOfNoSubcommands) ? .commandsByArrays : .commands
    case .scoresAfterKeys: optionsAt = 2 + (arguments.argument(at: 1)?.argumentCount ?? 0)
    }
    while let argument = arguments.next() {
      if arguments.index > optionsAt, argument.isKeyword("WITHSCORES") { return .scoredMembers }
    }
    return .same
  }
}
