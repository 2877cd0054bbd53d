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
    if !isGone { write(reply) }
    finishTurn()
  }

  private func write(_ reply: borrowing Reply) {
    let isLarge = reply.kind == .string && reply.bytes.count >= Self.directWriteBytes && !dropsReplies
    guard isLarge else { return reply.encode(into: &output) }
    pace.wasActive(at: server.loop.now)
    output.appendBulkHeader(reply.bytes.count)
    let value = reply.bytes
    output.withSpan { stream.write($0, value, Self.lineEnd.span) }
    output.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    state.replyReceived()
    if failure.isReplyTooDeep, token != 0 { server.deepReplies.insert(token) }
    if watch.isOpen { checkWatch(after: failure) }
    if !isGone { output.appendError(clientError(failure, over: path)) }
    finishTurn()
  }
}

extension Session {
  /// Sends the replies in `output`, or drops them if CLIENT REPLY says so.
  func writeOutput() {
    guard !output.isEmpty else { return }
    pace.wasActive(at: server.loop.now)
    if !dropsReplies { output.withSpan { stream.write($0) } }
    output.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }
}
