internal import MultiStore
internal import RESP

/// The replies that a client wants, as set by CLIENT REPLY.
enum ReplyMode {
  /// All.
  case on
  /// None.
  case off
  /// All but the next one.
  case skipNext
  /// All but that to the command in flight; no other command is executed meanwhile.
  case skipping
}

extension Session {
  /// Whether replies are dropped instead of sent. Messages and confirmations of subscriptions never are.
  var dropsReplies: Bool { (replyMode == .off || replyMode == .skipping) && !isInSubscriberMode }

  /// Executes CLIENT REPLY. Nothing is in flight; the replies to earlier commands are sent first.
  func setReplyMode(_ mode: ReplyMode) {
    if mode != .on, replyMode == .on { writeOutput() }
    if mode == .on, dropsReplies { clearOutput() }
    // A server ignores SKIP while replies are off.
    if mode == .skipNext, replyMode == .off { return }
    replyMode = mode
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
