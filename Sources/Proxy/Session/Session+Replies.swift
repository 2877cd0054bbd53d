internal import Hiredis
internal import MultiStore
internal import RESP

/// Replies to forwarded commands, and how replies are sent.
extension Session: ReplyReceiver {
  /// A string reply of this size is written at once, instead of being copied to the output first.
  private static let directWriteBytes = 32 << 10

  private static let lineEnd: InlineArray<2, UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n")]

  func receive(_ reply: borrowing Reply, token: Int) {
    state.replyReceived()
    if let upgrader { write(reply, upgrader) } else if !isGone { write(reply) }
    finishTurn()
  }

  private func write(_ reply: borrowing Reply) {
    if isWrittenAtOnce(reply) { writeAtOnce(reply) } else { reply.encode(into: &output) }
  }

  private func write(_ reply: borrowing Reply, _ upgrader: ReplyUpgrader) {
    upgrader.finish(&output)
    let shape = upgrader.next()
    guard !isGone else { return }
    if shape == .plain, isWrittenAtOnce(reply) {
      writeAtOnce(reply)
    } else {
      appendUpgraded(reply, as: shape, upgrader)
    }
    releasePushes(upgrader)
  }

  private func isWrittenAtOnce(_ reply: borrowing Reply) -> Bool {
    reply.kind == .string && reply.bytes.count >= Self.directWriteBytes && !dropsReplies
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
    if watch.isOpen { checkWatch(after: failure) }
    if !isGone { output.appendError(clientError(failure, over: path)) }
    if let upgrader {
      upgrader.finish(&output)
      releasePushes(upgrader)
    }
    finishTurn()
  }
}

extension Session {
  /// Sends whole replies behind those in `output`.
  func writeAtOnce(_ replies: Span<UInt8>) {
    pace.wasActive(at: server.loop.now)
    if let upgrader {
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
    if let upgrader { upgrader.finish(&output) }
    if !dropsReplies { output.withSpan { stream.write($0) } }
    clearOutput()
  }
}
