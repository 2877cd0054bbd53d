internal import DequeModule
internal import Hiredis
internal import RESP

/// Makes RESP3 of the replies to a client that has said HELLO 3. All of them are written as RESP2, in the order of the
/// commands, and the shape of each is known when its command is taken.
///
/// Exists only while the client speaks RESP3, so that the others pay for a test whether there is one. As many shapes
/// are kept as commands are in flight, which is limited. Confined to the instance's loop.
final class ReplyUpgrader {
  /// Memory of copied replies that is kept.
  private static let keptCapacity = 16 << 10

  /// The number of plain replies that come next. Most are, and counting is less work than queueing them.
  private var plainReplies = 0
  /// The shapes of the replies after those.
  private var shapes = UniqueDeque<ReplyShape>()
  /// The shapes of the commands between MULTI and EXEC, while EXEC is in flight.
  private var transaction: [ReplyShape]?
  /// The bytes at the front of the output that are final.
  private var finalBytes: Int
  /// Replies that are taken apart.
  private var scratch = ByteBuffer()
  /// Pushes that wait for replies.
  private var held = ByteBuffer()
  /// The lengths of the pushes in `held`, and the number of replies that come before each.
  private var heldPushes = UniqueDeque<(replies: Int, length: Int)>()
  /// The number of replies so far.
  private var replies = 0

  /// - Parameter output: The replies so far, which stay as they are.
  init(after output: borrowing ByteBuffer) {
    finalBytes = output.count
  }

  /// A command is taken whose reply has this shape.
  @inline(__always)
  func expect(_ shape: ReplyShape) {
    if shape == .plain, shapes.isEmpty { plainReplies += 1 } else { shapes.append(shape) }
  }

  /// The command that was taken last is put back.
  func withdraw() {
    if shapes.isEmpty { plainReplies -= 1 } else { shapes.removeLast() }
  }

  /// EXEC, which was taken last, is executed; its reply has elements of these shapes.
  func expectTransaction(_ elements: [ReplyShape]) {
    transaction = elements
  }

  /// Returns the shape of the next reply, which is upgraded elsewhere.
  @inline(__always)
  func next() -> ReplyShape {
    replies += 1
    guard plainReplies == 0 else {
      plainReplies -= 1
      return .plain
    }
    return shapes.popFirst() ?? .plain
  }

  /// The number of replies that are still to come.
  private var expected: Int { plainReplies + shapes.count }

  /// Forgets the shapes of commands that were not answered with one reply: with nothing, because of CLIENT REPLY, or
  /// with pushes. Nothing is in flight.
  @inline(__always)
  func nothingIsInFlight() {
    replies += expected
    plainReplies = 0
    if !shapes.isEmpty { shapes.removeAll() }
    transaction = nil
  }

  /// The output is final as it stands.
  @inline(__always)
  func outputIsFinal(_ output: borrowing ByteBuffer) {
    finalBytes = output.count
  }

  /// Upgrades the replies that were appended to `output` since it was final.
  @inline(__always)
  func finish(_ output: inout ByteBuffer) {
    guard output.count > finalBytes else { return }
    upgradeRest(of: &output)
    finalBytes = output.count
  }

  /// Appends whole replies to `output`, which is final, each upgraded.
  func append(_ replies: Span<UInt8>, to output: inout ByteBuffer) {
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

  private func upgradeRest(of output: inout ByteBuffer) {
    if let elements = transaction {
      transaction = nil
      _ = next()
      output.upgradeTransaction(from: finalBytes, as: elements.span)
    } else if expected == 1 {
      output.upgradeReply(from: finalBytes, as: next())
    } else if expected > 0 {
      // Copied, since replies in the middle of a buffer would be moved once for each one before them.
      output.withSpan { scratch.append($0.extracting(finalBytes...)) }
      output.truncate(to: finalBytes)
      scratch.withSpan { append($0, to: &output) }
      scratch.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    }
    // What no command has asked for is an error, which is the same in both protocols.
  }
}

// MARK: Pushes

extension ReplyUpgrader {
  /// The bytes of pushes that wait for replies.
  var heldBytes: Int { held.count }

  /// Whether a push has to go to the output now.
  @inline(__always)
  var hasDuePush: Bool { heldPushes.isEmpty ? false : heldPushes[0].replies <= replies }

  /// Appends a push to `output`, which is final.
  func append(push: borrowing Reply, to output: inout ByteBuffer) {
    Self.encode(push, into: &output)
    finalBytes = output.count
  }

  /// Keeps a push until the commands that are in flight have been answered. What they read may be older.
  func hold(push: borrowing Reply) {
    let start = held.count
    Self.encode(push, into: &held)
    heldPushes.append((replies: replies + expected, length: held.count - start))
  }

  /// Appends the pushes that are due to `output`, which is final.
  func releasePushes(to output: inout ByteBuffer) {
    while hasDuePush {
      let length = heldPushes.removeFirst().length
      held.withSpan { output.append($0.extracting(..<length)) }
      held.removeFirst(length)
    }
    if held.isEmpty { held.removeAll(keepingCapacityUpTo: 0) }
    finalBytes = output.count
  }

  private static func encode(_ push: borrowing Reply, into output: inout ByteBuffer) {
    output.appendPushHeader(push.count)
    for index in 0..<push.count {
      if push[index].kind == .nil { output.appendRESP3Null() } else { push[index].encode(into: &output) }
    }
  }
}
