internal import MultiStore
internal import RESP

/// The replies that a client wants, as set by CLIENT REPLY.
enum ReplyMode {
  /// All.
  case on
  /// None.
  case off
  /// All but that to the next command.
  case skipNext
  /// All but that to the command in flight; no other command is executed meanwhile.
  case skipping
}

extension Session {
  /// Whether replies are dropped instead of sent. Messages and confirmations of subscriptions are no replies.
  var dropsReplies: Bool { replyMode == .off || replyMode == .skipping }

  /// Executes CLIENT REPLY. Nothing is in flight; the replies to earlier commands are sent first.
  func setReplyMode(_ mode: ReplyMode) {
    if mode != .on, replyMode == .on { writeOutput() }
    if mode == .on, dropsReplies { clearOutput() }
    // A server ignores SKIP while replies are off.
    if mode == .skipNext, replyMode == .off { return }
    replyMode = mode
  }

  /// Wants replies again, as RESET has it: the reply to RESET itself may be the one that is skipped.
  func resetReplyMode() {
    if replyMode == .off { setReplyMode(.on) }
  }

  /// Counts input that is no command, such as an empty line, as the command whose reply is skipped.
  func skipNoReply() {
    if replyMode == .skipNext { replyMode = .on }
  }

  /// Whether CLIENT REPLY SKIP permits the next command to be taken: not while one whose reply is dropped is in
  /// flight.
  func canTakeNextCommand() -> Bool {
    guard replyMode == .skipping else { return true }
    guard isQuiet else { return false }
    setReplyMode(.on)
    return true
  }
}
