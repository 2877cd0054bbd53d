internal import Hiredis
internal import RESP

/// Decides what becomes of the replies to one client between the output, to which they are appended as RESP2, and the
/// stream: which of them CLIENT REPLY drops, how they are upgraded for a client that speaks RESP3, and where pushes
/// come between them. The owner lends it the output, and sends the bytes that it is called back with. Confined to the
/// instance's loop.
struct ReplyDelivery: ~Copyable {
  /// The size from which a string reply is sent from where it is, instead of being copied to the output first.
  private static let directBytes = 32 << 10

  private static let lineEnd: InlineArray<2, UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n")]

  private var mode = ReplyMode.on
  /// Inactive unless the client speaks RESP3.
  private var upgrader = ReplyUpgrader()

  /// Whether replies are dropped instead of sent. Messages and confirmations of subscriptions are no replies.
  @inline(__always)
  var dropsReplies: Bool { mode == .off || mode == .skipping }

  /// Sends the replies in the output with `send`, or drops them if CLIENT REPLY says so.
  @inline(__always)
  mutating func deliver(_ output: inout ByteBuffer, _ send: (Span<UInt8>) -> Void) {
    guard !output.isEmpty else { return }
    if upgrader.isActive { upgrader.finish(&output) }
    if !dropsReplies { output.withSpan(send) }
    clear(&output)
  }

  /// Sends whole replies of an execution, which follow those in the output.
  ///
  /// - Parameter send: sends the two spans in their order.
  mutating func deliver(
    _ replies: Span<UInt8>,
    after output: inout ByteBuffer,
    _ send: (Span<UInt8>, Span<UInt8>) -> Void
  ) {
    if upgrader.isActive {
      upgrader.finish(&output)
      upgrader.append(replies, to: &output)
      output.withSpan { send($0, Span()) }
    } else {
      output.withSpan { send($0, replies) }
    }
    clear(&output)
  }

  /// Removes the bytes of the output: they are sent, or dropped.
  @inline(__always)
  mutating func clear(_ output: inout ByteBuffer, keepingCapacityUpTo limit: Int = Session.keptCapacity) {
    output.removeAll(keepingCapacityUpTo: limit)
    upgrader.outputIsFinal(output)
  }
}

// MARK: Replies to forwarded commands

extension ReplyDelivery {
  /// Appends the reply to a forwarded command to the output. A large string is sent at once.
  ///
  /// - Parameter sendDirectly: sends the output up to the string, the string, and the end of its line.
  @inline(__always)
  mutating func append(
    _ reply: borrowing Reply,
    to output: inout ByteBuffer,
    sendDirectly: (Span<UInt8>, Span<UInt8>, Span<UInt8>) -> Void
  ) {
    let kind = reply.kind
    guard upgrader.isActive else { return append(reply, kind, to: &output, sendDirectly) }
    upgrader.finish(&output)
    let shape = upgrader.next()
    if Self.isTheSame(kind, shape) {
      append(reply, kind, to: &output, sendDirectly)
    } else {
      let start = output.count
      reply.encode(into: &output)
      output.upgradeReply(from: start, as: shape)
    }
    upgrader.outputIsFinal(output)
  }

  @inline(__always)
  private mutating func append(
    _ reply: borrowing Reply,
    _ kind: ReplyKind,
    to output: inout ByteBuffer,
    _ sendDirectly: (Span<UInt8>, Span<UInt8>, Span<UInt8>) -> Void
  ) {
    if kind == .string, reply.bytes.count >= Self.directBytes, !dropsReplies {
      output.appendBulkHeader(reply.bytes.count)
      let value = reply.bytes
      output.withSpan { sendDirectly($0, value, Self.lineEnd.span) }
      clear(&output)
    } else {
      reply.encode(into: &output)
    }
  }

  /// Counts the reply to a forwarded command whose client is gone.
  @inline(__always)
  mutating func drop() {
    if upgrader.isActive { _ = upgrader.next() }
  }

  /// Whether a reply of this kind is the same in both protocols.
  @inline(__always)
  private static func isTheSame(_ kind: ReplyKind, _ shape: ReplyShape) -> Bool {
    switch kind {
    case .error: true
    case .array, .nil: false
    case .status, .integer, .string: if case .plain = shape { true } else { false }
    }
  }
}

// MARK: CLIENT REPLY

extension ReplyDelivery {
  /// Whether all replies are dropped until the client wants them again.
  var isOff: Bool { mode == .off }

  /// Whether the reply to the command in flight is dropped.
  @inline(__always)
  var isSkipping: Bool { mode == .skipping }

  /// Executes CLIENT REPLY. Nothing is in flight; the replies to earlier commands are sent first.
  mutating func set(_ mode: ReplyMode, _ output: inout ByteBuffer, _ send: (Span<UInt8>) -> Void) {
    if mode != .on, self.mode == .on { deliver(&output, send) }
    if mode == .on, dropsReplies { clear(&output) }
    // A server ignores SKIP while replies are off.
    if mode == .skipNext, self.mode == .off { return }
    self.mode = mode
  }

  /// Returns to the mode and the protocol of a new client, as RESET has it: the reply to RESET itself may be the one
  /// that is skipped.
  mutating func reset(_ output: inout ByteBuffer) {
    if mode == .off {
      clear(&output)
      mode = .on
    }
    upgrader.stop()
  }

  /// Counts a command that is taken as the one whose reply is skipped, if there is to be one; returns whether it is.
  @inline(__always)
  mutating func commandIsTaken() -> Bool {
    guard mode == .skipNext else { return false }
    mode = .skipping
    return true
  }

  /// Takes back that a command is skipped, which waits in the input after all.
  mutating func commandWaits() { mode = .skipNext }

  /// Counts input that is no command, such as an empty line, as the command whose reply is skipped, if there is to be
  /// one; returns whether it was.
  @discardableResult
  mutating func inputIsNoCommand() -> Bool {
    guard mode == .skipNext else { return false }
    mode = .on
    return true
  }

  /// Whether CLIENT REPLY SKIP permits the next command to be taken: not while one whose reply is dropped is in flight.
  @inline(__always)
  mutating func maySkipNoMore(_ output: inout ByteBuffer, isQuiet: Bool) -> Bool {
    guard mode == .skipping else { return true }
    guard isQuiet else { return false }
    clear(&output)
    mode = .on
    return true
  }
}

// MARK: The protocol

extension ReplyDelivery {
  /// Whether the client speaks RESP3.
  @inline(__always)
  var isUpgrading: Bool { upgrader.isActive }

  /// The version that HELLO has chosen last.
  var protocolVersion: ProtocolVersion { upgrader.isActive ? .resp3 : .resp2 }

  /// Speaks `version` from the next reply on, which is that to HELLO. Nothing is in flight.
  mutating func speak(_ version: ProtocolVersion, helloShape: ReplyShape, after output: borrowing ByteBuffer) {
    switch version {
    case .resp2: upgrader.stop()
    case .resp3:
      guard !upgrader.isActive else { return }
      upgrader.start(after: output)
      upgrader.expect(helloShape)
    }
  }

  /// Adds the shape of the reply to a command that is taken. The client speaks RESP3.
  @inline(__always)
  mutating func expect(_ shape: ReplyShape) { upgrader.expect(shape) }

  /// Removes the shape of the command that was taken last, and waits in the input after all.
  mutating func withdraw() { upgrader.withdraw() }

  /// Sets the shapes of the elements in the reply to EXEC, which is executed.
  func expectTransaction(_ shapes: [ReplyShape]) { upgrader.expectTransaction(shapes) }

  /// Upgrades the replies in the output. No command is in flight.
  @inline(__always)
  mutating func finish(_ output: inout ByteBuffer) {
    upgrader.finish(&output)
    upgrader.nothingIsInFlight()
  }

  /// Upgrades the replies in the output, whose last one is an error.
  @inline(__always)
  mutating func finishError(_ output: inout ByteBuffer) {
    if upgrader.isActive { upgrader.finish(&output) }
  }
}

// MARK: Pushes

extension ReplyDelivery {
  /// The bytes of pushes that wait for replies.
  @inline(__always)
  var heldPushBytes: Int { upgrader.heldBytes }

  /// Keeps a push until the commands in flight have been answered.
  mutating func hold(push: borrowing Reply) { upgrader.hold(push: push) }

  /// Appends a push.
  mutating func append(push: borrowing Reply, to output: inout ByteBuffer, _ send: (Span<UInt8>) -> Void) {
    let push = copy push
    appendPushes(to: &output, { $1.append(push: push, to: &$0) }, send)
  }

  /// Appends the pushes that have waited for the replies so far.
  @inline(__always)
  mutating func appendDuePushes(to output: inout ByteBuffer, _ send: (Span<UInt8>) -> Void) {
    if upgrader.hasDuePush { appendPushes(to: &output, { $1.releasePushes(to: &$0) }, send) }
  }

  /// Appends what is no reply with `append`, in its final form. It is sent even if CLIENT REPLY drops the replies.
  mutating func appendUnasked(
    to output: inout ByteBuffer,
    _ append: (inout ByteBuffer) -> Void,
    _ send: (Span<UInt8>) -> Void
  ) {
    appendPushes(
      to: &output,
      { output, upgrader in
        append(&output)
        upgrader.outputIsFinal(output)
      },
      send
    )
  }

  private mutating func appendPushes(
    to output: inout ByteBuffer,
    _ append: (inout ByteBuffer, inout ReplyUpgrader) -> Void,
    _ send: (Span<UInt8>) -> Void
  ) {
    if dropsReplies { deliver(&output, send) } else if upgrader.isActive { upgrader.finish(&output) }
    append(&output, &upgrader)
    guard dropsReplies else { return }
    output.withSpan(send)
    clear(&output)
  }
}
