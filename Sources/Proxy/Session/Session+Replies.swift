internal import Hiredis
internal import MultiStore
internal import RESP

/// Replies to forwarded commands, and the sending of replies.
extension Session: ReplyReceiver {
  /// The size from which a string reply is written directly, instead of being copied to the output first.
  private static let directWriteBytes = 32 << 10

  private static let lineEnd: InlineArray<2, UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n")]

  func receive(_ reply: borrowing Reply, token: Int) {
    state.replyReceived()
    if upgrader.isActive { writeUpgraded(reply) } else if !isGone { write(reply, reply.kind) }
    finishTurn()
  }

  private func write(_ reply: borrowing Reply, _ kind: ReplyKind) {
    if kind == .string, reply.bytes.count >= Self.directWriteBytes, !dropsReplies {
      writeAtOnce(reply)
    } else {
      reply.encode(into: &output)
    }
  }

  @inline(__always)
  private func writeUpgraded(_ reply: borrowing Reply) {
    upgrader.finish(&output)
    let shape = upgrader.next()
    guard !isGone else { return }
    let kind = reply.kind
    if isTheSame(kind, shape) {
      write(reply, kind)
      upgrader.outputIsFinal(output)
    } else {
      appendUpgraded(reply, as: shape)
    }
    releasePushes()
  }

  /// Whether a reply of this kind is the same in both protocols.
  @inline(__always)
  private func isTheSame(_ kind: ReplyKind, _ shape: ReplyShape) -> Bool {
    switch kind {
    case .error: true
    case .array, .nil: false
    case .status, .integer, .string: if case .plain = shape { true } else { false }
    }
  }

  private func writeAtOnce(_ reply: borrowing Reply) {
    pace.wasActive(at: server.loop.now)
    output.appendBulkHeader(reply.bytes.count)
    let value = reply.bytes
    output.withSpan { stream.write($0, value, Self.lineEnd.span) }
    clearOutput()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    state.replyReceived()
    if failure.isReplyTooDeep, token != 0 { server.deepReplies.insert(token) }
    if isWatchOfBusyStore(failure, token: token) {
      if !isGone { output.appendStatus("OK") }
    } else {
      if watch.isOpen { checkWatch(after: failure, isLastWatch: lastCommand == .watch && state.inFlight == 0) }
      if !isGone { output.appendError(clientError(failure, over: path)) }
    }
    if upgrader.isActive {
      upgrader.finish(&output)
      releasePushes()
    }
    finishTurn()
  }
}

extension Session {
  /// Sends whole replies after those in `output`.
  func writeAtOnce(_ replies: Span<UInt8>) {
    pace.wasActive(at: server.loop.now)
    if upgrader.isActive {
      upgrader.finish(&output)
      upgrader.append(replies, to: &output)
      output.withSpan { stream.write($0) }
    } else {
      output.withSpan { stream.write($0, replies) }
    }
    clearOutput()
  }

  /// Sends the replies in `output`, or drops them if CLIENT REPLY says so.
  func writeOutput() {
    guard !output.isEmpty else { return }
    pace.wasActive(at: server.loop.now)
    if upgrader.isActive { upgrader.finish(&output) }
    if !dropsReplies { output.withSpan { stream.write($0) } }
    clearOutput()
  }
}
