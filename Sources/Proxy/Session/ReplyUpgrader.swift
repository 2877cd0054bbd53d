internal import DequeModule
internal import Hiredis
internal import RESP

/// Converts the replies to a client that has sent HELLO 3 to RESP3. All of them are written as RESP2, in the order of
/// the commands, and the shape of each is known when its command is taken.
///
/// The counters, which change with each reply, lie in the session itself; the queues, which most replies do not need,
/// exist only while the client speaks RESP3. One shape is kept for each command in flight, whose number is limited.
/// Confined to the instance's loop.
struct ReplyUpgrader: ~Copyable {
  /// The capacity that is kept for copied replies, in bytes.
  private static let keptCapacity = 16 << 10

  private final class Queues {
    /// The shapes of the replies after the plain ones that are counted.
    var shapes = UniqueDeque<ReplyShape>()
    /// The shapes of the commands between MULTI and EXEC, while EXEC is in flight.
    var transaction: [ReplyShape]?
    /// The replies that are being converted.
    var scratch = ByteBuffer()
    /// Pushes that wait for replies.
    var held = ByteBuffer()
    /// The lengths of the pushes in `held`, and the number of replies that come before each.
    var heldPushes = UniqueDeque<(replies: Int, length: Int)>()
  }

  /// Nil while the client speaks RESP2.
  private var queues: Queues?
  /// The number of plain replies that come next. Most are, and counting is less work than queueing them.
  private var plainReplies = 0
  private var hasQueuedShapes = false
  private var hasHeldPushes = false
  /// The bytes at the front of the output that are final.
  private var finalBytes = 0
  /// The number of replies so far.
  private var replies = 0

  /// Whether the client speaks RESP3. Other members must not be used otherwise, unless their comments permit it.
  @inline(__always)
  var isActive: Bool { queues != nil }

  /// Switches to RESP3.
  ///
  /// - Parameter output: The replies so far, which stay as they are.
  mutating func start(after output: borrowing ByteBuffer) {
    queues = Queues()
    finalBytes = output.count
  }

  /// Switches to RESP2.
  mutating func stop() {
    self = ReplyUpgrader()
  }

  /// Adds the shape of the reply to a command that is taken.
  @inline(__always)
  mutating func expect(_ shape: ReplyShape) {
    if case .plain = shape, !hasQueuedShapes { plainReplies += 1 } else { enqueue(shape) }
  }

  private mutating func enqueue(_ shape: ReplyShape) {
    queues?.shapes.append(shape)
    hasQueuedShapes = true
  }

  /// Removes the shape of the command that was taken last and is put back.
  mutating func withdraw() {
    guard hasQueuedShapes, let queues else {
      plainReplies -= 1
      return
    }
    queues.shapes.removeLast()
    hasQueuedShapes = !queues.shapes.isEmpty
  }

  /// Sets the shapes of the elements in the reply to EXEC, which was taken last and is executed. Does nothing for a
  /// client that speaks RESP2.
  func expectTransaction(_ elements: [ReplyShape]) {
    queues?.transaction = elements
  }

  /// Returns the shape of the next reply, which is upgraded elsewhere.
  @inline(__always)
  mutating func next() -> ReplyShape {
    replies += 1
    guard plainReplies == 0 else {
      plainReplies -= 1
      return .plain
    }
    return dequeue()
  }

  private mutating func dequeue() -> ReplyShape {
    guard let queues, let shape = queues.shapes.popFirst() else { return .plain }
    hasQueuedShapes = !queues.shapes.isEmpty
    return shape
  }

  /// The number of replies that are still to come.
  private var expected: Int { plainReplies + (hasQueuedShapes ? queues?.shapes.count ?? 0 : 0) }

  /// Forgets the shapes of commands that were not answered with one reply: those without a reply, because of CLIENT
  /// REPLY, and those answered with pushes. Nothing is in flight.
  mutating func nothingIsInFlight() {
    replies += expected
    plainReplies = 0
    if hasQueuedShapes { queues?.shapes.removeAll() }
    hasQueuedShapes = false
    queues?.transaction = nil
  }

  /// Marks the present output as final. Does nothing for a client that speaks RESP2.
  @inline(__always)
  mutating func outputIsFinal(_ output: borrowing ByteBuffer) {
    finalBytes = output.count
  }

  /// Upgrades the replies that were appended to `output` since it was final.
  @inline(__always)
  mutating func finish(_ output: inout ByteBuffer) {
    guard output.count > finalBytes else { return }
    upgradeRest(of: &output)
    finalBytes = output.count
  }

  /// Appends whole replies to `output`, which is final, each upgraded.
  mutating func append(_ replies: Span<UInt8>, to output: inout ByteBuffer) {
    var position = 0
    while position < replies.count, expected > 0 {
      var scanner = ReplyScanner()
      guard case .complete(let length) = scanner.scan(replies.extracting(position...)) else { break }
      let start = output.count
      output.append(replies.extracting(position..<position + length))
      output.upgradeReply(from: start, as: next())
      position += length
    }
    output.append(replies.extracting(position...))
    finalBytes = output.count
  }

  private mutating func upgradeRest(of output: inout ByteBuffer) {
    guard let queues else { return }
    if let elements = queues.transaction {
      queues.transaction = nil
      _ = next()
      output.upgradeTransaction(from: finalBytes, as: elements.span)
    } else if expected == 1 {
      output.upgradeReply(from: finalBytes, as: next())
    } else if expected > 0 {
      // Copied, since replies in the middle of a buffer would be moved once for each one before them.
      output.withSpan { queues.scratch.append($0.extracting(finalBytes...)) }
      output.truncate(to: finalBytes)
      queues.scratch.withSpan { append($0, to: &output) }
      queues.scratch.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    }
    // A reply to no command is an error, which is the same in both protocols.
  }
}

// MARK: Pushes

extension ReplyUpgrader {
  /// The bytes of pushes that wait for replies.
  @inline(__always)
  var heldBytes: Int { hasHeldPushes ? queues?.held.count ?? 0 : 0 }

  /// Whether a push has to go to the output now.
  @inline(__always)
  var hasDuePush: Bool { hasHeldPushes && isFirstPushDue }

  private var isFirstPushDue: Bool {
    guard let queues, !queues.heldPushes.isEmpty else { return false }
    return queues.heldPushes[0].replies <= replies
  }

  /// Appends a push to `output`, which is final.
  mutating func append(push: borrowing Reply, to output: inout ByteBuffer) {
    Self.encode(push, into: &output)
    finalBytes = output.count
  }

  /// Keeps a push until the commands in flight have been answered: their replies may be older than the push.
  mutating func hold(push: borrowing Reply) {
    guard let queues else { return }
    let start = queues.held.count
    Self.encode(push, into: &queues.held)
    queues.heldPushes.append((replies: replies + expected, length: queues.held.count - start))
    hasHeldPushes = true
  }

  /// Appends the pushes that are due to `output`, which is final.
  mutating func releasePushes(to output: inout ByteBuffer) {
    guard let queues else { return }
    while hasDuePush {
      let length = queues.heldPushes.removeFirst().length
      queues.held.withSpan { output.append($0.extracting(..<length)) }
      queues.held.removeFirst(length)
      hasHeldPushes = !queues.heldPushes.isEmpty
    }
    if !hasHeldPushes { queues.held.removeAll(keepingCapacityUpTo: 0) }
    finalBytes = output.count
  }

  private static func encode(_ push: borrowing Reply, into output: inout ByteBuffer) {
    output.appendPushHeader(push.count)
    for index in 0..<push.count {
      if push[index].kind == .nil { output.appendRESP3Null() } else { push[index].encode(into: &output) }
    }
  }
}
