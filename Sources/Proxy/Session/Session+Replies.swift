internal import Hiredis
internal import MultiStore
internal import RESP

/// Replies to forwarded commands, and the sending of replies. ``ReplyDelivery`` decides what becomes of them.
extension Session: ReplyReceiver {
  func receive(_ reply: borrowing Reply, token: Int) {
    state.replyReceived()
    if isGone {
      delivery.drop()
    } else {
      delivery.append(reply, to: &output) { output, value, end in
        pace.wasActive(at: server.loop.now)
        stream.write(output, value, end)
      }
    }
    releasePushes()
    finishTurn()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    state.replyReceived()
    if failure.isReplyTooDeep, token != 0 { server.deepReplies.insert(token) }
    if isWatchOfBusyStore(failure, token: token) {
      if !isGone { output.appendStatus("OK") }
    } else {
      own.checkWatch(after: failure, over: path, isLastWatch: lastCommand == .watch && state.inFlight == 0)
      if !isGone { output.appendError(clientError(failure, over: path)) }
    }
    delivery.finishError(&output)
    releasePushes()
    finishTurn()
  }
}

extension Session {
  /// Sends whole replies after those in `output`.
  func writeAtOnce(_ replies: Span<UInt8>) {
    pace.wasActive(at: server.loop.now)
    delivery.deliver(replies, after: &output) { stream.write($0, $1) }
  }

  /// Sends the replies in `output`, or drops them if CLIENT REPLY says so.
  func writeOutput() {
    guard !output.isEmpty else { return }
    pace.wasActive(at: server.loop.now)
    delivery.deliver(&output) { stream.write($0) }
  }

  /// Executes CLIENT REPLY. Nothing is in flight.
  func setReplyMode(_ mode: ReplyMode) {
    if !output.isEmpty { pace.wasActive(at: server.loop.now) }
    delivery.set(mode, &output) { stream.write($0) }
  }

  /// Upgrades the session's own answers once no command is in flight.
  @inline(__always)
  func finishAnswers() {
    guard delivery.isUpgrading, case .idle = state.lane else { return }
    delivery.finish(&output)
    releasePushes()
  }
}

/// Pushes, and what else is sent to a client that has not asked for it.
extension Session {
  /// Takes a message, or a confirmation, which becomes a push between two replies. It comes after the replies to the
  /// commands that are in flight: from another connection to the store, they may have been executed before it was
  /// published.
  func take(push: borrowing Reply) {
    guard !isGone, !isClosing else { return }
    // An error is the reply to the command.
    guard push.kind == .array else { return push.encode(into: &output) }
    if holdsPushes {
      delivery.hold(push: push)
      if delivery.heldPushBytes + owedBytes > server.limits.outputBufferLimit { cutOff(.outputBufferLimit) }
    } else {
      delivery.append(push: push, to: &output, sendUnasked)
    }
    finishTurn()
  }

  /// Sends the pushes that have waited for the replies so far.
  @inline(__always)
  private func releasePushes() { delivery.appendDuePushes(to: &output, sendUnasked) }

  /// Appends what is no reply to the output with `append`. It is sent even if CLIENT REPLY drops the replies.
  func writeUnasked(_ append: (inout ByteBuffer) -> Void) { delivery.appendUnasked(to: &output, append, sendUnasked) }

  private func sendUnasked(_ bytes: Span<UInt8>) {
    if !isGone { stream.write(bytes) }
  }

  /// Whether a push waits for the commands in flight. It does not wait for a blocking command, nor for the command that
  /// it may confirm.
  private var holdsPushes: Bool {
    guard state.lane != .idle, !isBlocked else { return false }
    return CommandTable.spec(lastCommand).commandClass != .pubsub
  }
}
