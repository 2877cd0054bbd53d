internal import Hiredis
internal import MultiStore
internal import RESP

/// The protocol that the client speaks, and the upgrade of its replies. See ``ReplyUpgrader``.
extension Session {
  /// The version that HELLO has chosen last.
  var protocolVersion: ProtocolVersion { upgrader.isActive ? .resp3 : .resp2 }

  /// Whether subscriptions restrict what the client may send, and mix their messages with its replies.
  @inline(__always)
  var isInSubscriberMode: Bool { subscription != nil && !upgrader.isActive }

  /// Speaks `version` from the next reply on, which is that to HELLO. Nothing is in flight.
  func speak(_ version: ProtocolVersion, helloShape: ReplyShape) {
    switch version {
    case .resp2: upgrader.stop()
    case .resp3:
      guard !upgrader.isActive else { return }
      upgrader.start(after: output)
      upgrader.expect(helloShape)
    }
  }

  /// Upgrades the session's own answers once no command is in flight.
  @inline(__always)
  func finishAnswers() {
    guard upgrader.isActive, case .idle = state.lane else { return }
    upgrader.finish(&output)
    upgrader.nothingIsInFlight()
    releasePushes()
  }

  /// Appends a reply to a forwarded command, upgraded.
  func appendUpgraded(_ reply: borrowing Reply, as shape: ReplyShape) {
    let start = output.count
    reply.encode(into: &output)
    output.upgradeReply(from: start, as: shape)
    upgrader.outputIsFinal(output)
  }

  /// Removes the bytes of the output: they are sent, or dropped.
  func clearOutput(keepingCapacityUpTo limit: Int = keptCapacity) {
    output.removeAll(keepingCapacityUpTo: limit)
    upgrader.outputIsFinal(output)
  }

  /// Takes a message, or a confirmation, which becomes a push between two replies. It comes after the replies to the
  /// commands that are in flight: from another connection to the store, they may have been executed before it was
  /// published.
  func take(push: borrowing Reply) {
    guard !isGone, !isClosing else { return }
    // An error is the reply to the command.
    guard push.kind == .array else { return push.encode(into: &output) }
    guard !holdsPushes else {
      upgrader.hold(push: push)
      if upgrader.heldBytes + owedBytes > server.limits.outputBufferLimit { cutOff(.outputBufferLimit) }
      return finishTurn()
    }
    writePushes { upgrader.append(push: push, to: &output) }
    finishTurn()
  }

  /// Sends the pushes that have waited for the replies so far.
  @inline(__always)
  func releasePushes() {
    if upgrader.hasDuePush { writePushes { upgrader.releasePushes(to: &output) } }
  }

  /// The bytes of pushes that wait for replies.
  @inline(__always)
  var heldPushBytes: Int { upgrader.heldBytes }

  /// Whether a push waits for the commands in flight. It does not wait for a blocking command, nor for the command that
  /// it may confirm.
  private var holdsPushes: Bool {
    guard state.lane != .idle, !isBlocked else { return false }
    return CommandTable.spec(lastCommand).commandClass != .pubsub
  }

  /// Appends pushes to the output with `append`. They are sent even if CLIENT REPLY drops the replies.
  func writePushes(_ append: () -> Void) {
    let isAlone = dropsReplies
    if isAlone { writeOutput() } else if upgrader.isActive { upgrader.finish(&output) }
    append()
    guard isAlone, !isGone else { return }
    output.withSpan { stream.write($0) }
    clearOutput()
  }
}
