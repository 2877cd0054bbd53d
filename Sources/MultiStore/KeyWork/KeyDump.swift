internal import EventLoop
internal import Hiredis
internal import RESP

/// Asks the source of a copy for the deadline of its key, and then for the dump: in this order nothing is kept of a
/// large dump but the command that stores it. ``KeyDumps`` does it for several small keys. Loop-confined; the store's
/// connection retains it.
final class KeyDump: ReplyReceiver {
  private static let dumpToken = 0
  private static let deadlineToken = 1

  private let copy: KeyCopy
  private let source: Store
  /// Whether an absolute time is asked for: the source's known version may change until it answers.
  private let asksForAbsoluteTime: Bool
  /// Whether the source has refused that. It refuses the dump as well if the key is the reason.
  private var mayNotAskForAbsoluteTime = false
  /// The deadline in Unix milliseconds, 0 for none; nil if the source had no value.
  private var deadline: Int?
  /// The reason why the deadline is not known.
  private var failure: CopyFailure?
  /// The time that the source gets for a large key.
  private var time = LargeKeyTime()

  private init(for copy: KeyCopy, from source: Store) {
    self.copy = copy
    self.source = source
    asksForAbsoluteTime = source.server.hasExpiryTime
  }

  /// - Parameters:
  ///   - copy: told of the dump, of its lack or of the failure, once.
  ///   - bytes: the key's size in the source's memory.
  static func ask(for copy: KeyCopy, bytes: Int, from source: Store) {
    let question = KeyDump(for: copy, from: source)
    question.time.begin(bytes: bytes, on: source.ordinary)
    source.send(question.asksForAbsoluteTime ? "PEXPIRETIME" : "PTTL", copy.key, to: question, token: deadlineToken)
    source.send("DUMP", copy.key, to: question, token: dumpToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if token == Self.deadlineToken { return receiveDeadline(reply) }
    time.end()
    // From here on the store's replies are newer than the dump.
    copy.dumpArrived()
    if let failure { return copy.fail(failure) }
    switch reply.kind {
    case .string:
      if let deadline { return copy.received(dump: reply.bytes, deadline: deadline) }
      // Another client has made the key between the two questions, or the user has the right to one of them alone.
      if mayNotAskForAbsoluteTime { source.server.hasExpiryTime = false }
      copy.askAgain()
    case .nil: copy.sourceLacksKey()
    // Only a null says that there is no key: of a reply that belongs to another command nothing is known.
    default: copy.fail(CopyFailure(unexpected: reply, of: source.role))
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if self.failure == nil { self.failure = CopyFailure(failure) }
    guard token == Self.dumpToken, let failure = self.failure else { return }
    time.end()
    copy.dumpArrived()
    copy.fail(failure)
  }

  private func receiveDeadline(_ reply: borrowing Reply) {
    if reply.kind == .integer {
      deadline = absoluteDeadline(reply.integer)
    } else if asksForAbsoluteTime, reply.knownErrorCode == .noPermission {
      mayNotAskForAbsoluteTime = true
    } else {
      failure = CopyFailure(unexpected: reply, of: source.role)
    }
  }

  /// Returns the deadline that an answer of PEXPIRETIME or PTTL means; nil if the source has no such key.
  private func absoluteDeadline(_ answer: Int) -> Int? {
    guard answer > -2 else { return nil }
    let isRelative = answer > 0 && !asksForAbsoluteTime
    return isRelative ? answer.addingSaturated(Int(source.loop.wallClockMilliseconds)) : max(0, answer)
  }
}
