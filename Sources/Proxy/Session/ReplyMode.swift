internal import MultiStore
internal import RESP

/// Which replies a client wants, as CLIENT REPLY has it.
enum ReplyMode {
  /// All.
  case on
  /// None.
  case off
  /// All but the next one.
  case skipNext
  /// Not that of the command under way; no other is executed beside it.
  case skipping
}

extension Session {
  /// True while replies are dropped instead of being sent. Messages and what a server says of subscriptions never are.
  var dropsReplies: Bool { (replyMode == .off || replyMode == .skipping) && !isInSubscriberMode }

  /// CLIENT REPLY. Nothing is in flight; what earlier commands are owed is sent first.
  func setReplyMode(_ mode: ReplyMode) {
    if mode != .on, replyMode == .on { writeOutput() }
    if mode == .on, dropsReplies { clearOutput() }
    // A server ignores SKIP while replies are off.
    if mode == .skipNext, replyMode == .off { return }
    replyMode = mode
  }

  /// Whether the next command may be taken, as far as CLIENT REPLY SKIP is concerned: not beside one whose reply is
  /// dropped.
  func canTakeNextCommand() -> Bool {
    guard replyMode == .skipping else { return true }
    guard isQuiet else { return false }
    setReplyMode(.on)
    return true
  }
}
