internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import RESP

/// Waits for keys to be copied. Loop-confined.
protocol KeyCopyWaiter: AnyObject {
  /// Notifies that one of the keys was copied, or could not be, which is counted and logged already.
  func keyCopyDidFinish(_ copy: KeyCopy)
}

/// Copies one key as it is on one store to the other, with DUMP and RESTORE, or by its contents where the other one is
/// too old for the dump; see ``KeyContentsCopy``. Loop-confined.
///
/// The size is asked for first, since the stores need time for a large key. DUMP is ordered with the commands of the
/// ordinary connection: writes that the store answered before it are in the dump, and their copies on the other store
/// are overwritten; writes answered after it are sent after the RESTORE. So the copy is in order without holding
/// anything back. If RESTORE is refused, the key is read again as the commands that make it, which is ordered with the
/// other commands as well.
///
/// A copy to the default store is in order because no command that names the key is executed meanwhile.
final class KeyCopy: ReplyReceiver {
  private static let sizeToken = 0
  private static let restoreToken = 1
  private static let deleteToken = 2

  let key: [UInt8]
  let verb: KeyVerb
  /// Whether only the ``KeyQueue`` waits for it.
  private let isInBackground: Bool
  /// Whether the target was the default store when it began.
  private let isForDefault: Bool
  private unowned let database: Database
  private let source: Store
  let target: Store
  private var waiters: [any KeyCopyWaiter] = []
  /// The loop's clock when the source was asked.
  private var begunAt: UInt64 = 0
  /// The key's size in the source's memory, as far as it is known.
  private var bytes = 0
  /// The time that the stores get for it, if it is large.
  private var time = LargeKeyTime()
  /// The size of the dump.
  private(set) var dumpBytes = 0
  /// The first failure, after which the key may still have to be deleted.
  private var firstFailure: CopyFailure?
  /// The result, once it has ended.
  private(set) var outcome = KeyCopyOutcome.unneeded
  /// Whether the target refused the dump.
  private var dumpWasRefused = false
  /// Whether the source has no value, and the target's stays.
  private var keepsTarget = false
  /// Whether the target was emptied after the copy had begun.
  private var isVoid = false
  /// How often there was no deadline to a dump.
  private var questions = 0
  /// The most times of that; the key of a busy client may be deleted and made again now and then.
  private static let mostQuestions = 10

  init(
    _ key: [UInt8],
    _ verb: KeyVerb,
    from source: Store,
    to target: Store,
    of database: Database,
    isInBackground: Bool = false
  ) {
    self.key = key
    self.verb = verb
    self.isInBackground = isInBackground
    isForDefault = target.isDefault
    self.source = source
    self.target = target
    self.database = database
    target.keysBeingCopied.began(self)
    database.instance.keyQueue.began(isForClient: !isInBackground)
  }

  func add(_ waiter: any KeyCopyWaiter) {
    waiters.append(waiter)
  }

  /// Reads the key again, after its dump was refused for example, unless another copy does that already.
  private func restart() {
    // Clients' copies join only those that replace the other store's value.
    if !target.isDefault, verb == .copyOver {
      if let pending = database.pendingDumps[key] { return join(pending) }
      database.pendingDumps.insert(self)
    }
    begin()
  }

  /// Makes `other`, whose dump is in flight, notify this copy's waiters as well.
  private func join(_ other: KeyCopy) {
    other.waiters += waiters
    waiters = []
    target.keysBeingCopied.ended(self)
    database.instance.keyQueue.ended(bytes: dumpBytes)
  }

  /// Begins when earlier copies of the key to the source have ended. If it is stale there then, nothing is copied.
  func beginOnceSettled() {
    if let earlier = source.keysBeingCopied.latest(of: key) { return earlier.add(self) }
    let key = key
    if source.lacksWrites(of: key.span) { finish(.unneeded) } else { begin() }
  }

  /// Ends the copy after the client's command has replaced the key, or failed.
  func keyWasReplaced(_ isReplaced: Bool) {
    let key = key
    if isReplaced { target.clearStale(key: key.span, begunAt: .max) }
    finish(.unneeded)
  }

  /// Makes sure that the target, which was emptied after the source had been asked, does not get the value. What a
  /// client's command stores stays.
  func targetWasEmptied() {
    guard verb != .replace, !isVoid else { return }
    isVoid = true
    target.send("DEL", key, to: DiscardedReplies.shared)
  }

  /// Begins the copy.
  ///
  /// - Parameter bytes: the key's size in the server's memory, if that was asked for already.
  func begin(bytes: Int? = nil) {
    begunAt = database.loop.now
    guard target.ordinary.takesCommands else {
      // The copy fails at the end of the turn, without a dump that the target could not take.
      database.pendingDumps.remove(self)
      return target.ordinary.failUnsent(self, token: Self.deleteToken)
    }
    guard let bytes else { return askForSize() }
    self.bytes = bytes
    if !isInBackground, !isForDefault, let refusal = target.server.keyRefusal,
      refusal.concerns(keyOf: bytes, at: begunAt)
    {
      database.pendingDumps.remove(self)
      return finish(.failed(refusal.failure))
    }
    if dumpWasRefused || target.server.refusesDumps { copyContents() } else { askForDump() }
  }

  private func askForDump() {
    begunAt = database.loop.now
    KeyDump.ask(for: self, bytes: bytes, from: source)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.sizeToken:
      begin(bytes: reply.integer)
    case Self.restoreToken:
      time.end()
      guard reply.kind == .error else {
        target.server.keyRefusal = nil
        return finish(.stored)
      }
      if isPresent(reply) { return finish(.unneeded) }
      // Only the dump's format can be wrong with this RESTORE; other errors have codes of their own.
      if reply.knownErrorCode == .generic {
        dumpWasRefused = true
        restart()
      } else {
        let failure = CopyFailure(reply).ofTarget
        // A user may lack the right to this key alone.
        if bytes >= KeyRefusal.costlyBytes, failure.isRefusal, reply.knownErrorCode != .noPermission {
          target.server.keyRefusal = KeyRefusal(failure: failure, at: database.loop.now)
        }
        giveUp(failure)
      }
    default:
      // A DEL: the value that it left is outdated still.
      if firstFailure == nil, reply.kind != .integer {
        firstFailure = CopyFailure(unexpected: reply, of: target.role)
      }
      finish(.missing)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.restoreToken { time.end() }
    if token == Self.sizeToken { database.pendingDumps.remove(self) }
    if firstFailure == nil {
      firstFailure = token == Self.sizeToken ? CopyFailure(failure) : CopyFailure(failure).ofTarget
    }
    finish(.missing)
  }

  /// The result if the source's value, which has arrived, is not to be stored any more: the default store's may have
  /// been accepted or replaced meanwhile. And if the default store has moved to the target, its value is newer, unless
  /// it is stale, so that commands wait for the copy. Once dual write is off, the other store may be about to be
  /// emptied. The copy fails if the source has come back as another process since it was asked.
  private var obstacle: KeyCopyOutcome? {
    if isVoid { return .unneeded }
    let key = key
    if isInBackground, !target.isDefault, !database.instance.routingState.flip.current.isDual { return .overtaken }
    if isInBackground, target.isDefault, !isForDefault, !target.stale.isKnown(key.span) { return .overtaken }
    guard isForDefault, verb == .copyOver else { return nil }
    guard target.stale.isKnown(key.span) else { return .unneeded }
    guard source.family.mayHaveLostKeys else { return nil }
    return .failed(CopyFailure(.notConnected(reason: "the \(source.role.label) store came back as another process")))
  }

  // MARK: Contents

  private func copyContents() {
    KeyContentsCopy.begin(key, bytes: bytes, from: source, to: target, replaces: verb == .copyOver) { [self] in
      database.pendingDumps.remove(self)
      return obstacle
    } then: { [self] outcome in
      database.pendingDumps.remove(self)
      switch outcome {
      case .ended(.missing): sourceLacksKey()
      case .ended(let outcome):
        // Another dump would be refused as well.
        if case .stored = outcome, dumpWasRefused { target.server.refusesDumps = true }
        finish(outcome)
      case .refused(let failure): giveUp(failure)
      case .unanswered(let failure): fail(failure)
      }
    }
  }

  // MARK: Dumps

  /// Notes that the source has answered DUMP.
  func dumpArrived() { database.pendingDumps.remove(self) }

  /// Begins anew, as there was no deadline to the dump. A source of which that is true each time is not asked on.
  func askAgain() {
    questions += 1
    if questions < Self.mostQuestions { restart() } else { fail(CopyFailure(senselessReplyOf: source.role)) }
  }

  /// Stores a dump, which ``KeyDump`` or ``KeyDumps`` has asked for.
  ///
  /// - Parameter deadline: the time at which the key expires, in Unix milliseconds; 0 for never.
  func received(dump: Span<UInt8>, deadline: Int) {
    if let obstacle { return finish(obstacle) }
    dumpBytes = dump.count
    database.instance.keyQueue.received(bytes: dumpBytes)
    restore(dump, deadline: deadline)
  }

  /// Ends the copy, of which nothing was done: its key is too large to be copied with others.
  func withdraw() {
    finish(.withdrawn)
  }

  /// Ends a copy that could not begin, or that a store did not answer.
  func fail(_ failure: CopyFailure) {
    finish(.failed(failure))
  }

  /// Whether the target refuses the dump because it has the key, which is fine.
  private func isPresent(_ reply: borrowing Reply) -> Bool {
    verb == .copyIfAbsent && reply.errorCode == "BUSYKEY"
  }

  /// Deletes the key on the target, whose value is outdated, since the source's can't be stored there. On the default
  /// store the value stays, as the only one that is left.
  private func giveUp(_ failure: CopyFailure) {
    guard verb == .copyOver, !target.isDefault else { return finish(.failed(failure)) }
    firstFailure = failure
    target.send("DEL", key, to: self, token: Self.deleteToken)
  }

  private func restore(_ dump: Span<UInt8>, deadline: Int) {
    let command = ByteBuffer.restore(key, dump, deadline: deadline, replaces: verb == .copyOver)
    time.begin(bytes: max(bytes, dump.count), on: target.ordinary)
    // A large one is written from where it is.
    let owner = SharedBytes(command)
    owner.withSpan { target.ordinary.send($0, of: owner, to: self, token: Self.restoreToken) }
  }

  /// Servers answer together what they read together: only a question of its own is answered before a long DUMP.
  private func askForSize() {
    let question = ByteBuffer.command(["MEMORY", "USAGE"], key)
    source.ordinary.send(question.span, to: self, token: Self.sizeToken)
  }

  /// Ends the copy of a key that the source does not have. The old store's value stays if it lacks no write that a
  /// client knows of: the key may never have been moved.
  func sourceLacksKey() {
    if let obstacle { return finish(obstacle) }
    keepsTarget = target.role == .secondary && target.stale.mark(of: key)?.reason.isUnacknowledged == true
    guard verb == .copyOver, !keepsTarget else { return finish(.missing) }
    target.send("DEL", key, to: self, token: Self.deleteToken)
  }

  private func finish(_ end: KeyCopyOutcome) {
    let key = key
    outcome = firstFailure.map { .failed($0) } ?? end
    target.keysBeingCopied.ended(self)
    database.rechecks?.noteChange(of: key.span)
    noteOutcome()
    let waiters = waiters
    self.waiters = []
    for waiter in waiters { waiter.keyCopyDidFinish(self) }
    database.instance.keyQueue.ended(bytes: dumpBytes)
  }

  private func noteOutcome() {
    let key = key
    let accounting = KeyCopyAccounting(
      verb: verb,
      isInBackground: isInBackground,
      isToDefaultStore: target.isDefault,
      keepsTarget: keepsTarget
    )
    let consequences = accounting.consequences(of: outcome)
    if let reason = consequences.mark { target.markStale(key: key, because: reason) }
    if consequences.clearsMark { target.clearStale(key: key.span, begunAt: begunAt) }
    if consequences.isChecked, database.notesWrittenKeys { database.quietKeys.note(key.span, now: database.loop.now) }
    if consequences.isCounted { database.metrics.keyCopies.increment() }
    if let failure = outcome.failure {
      database.reporter.keyCopyFailed(to: target, failure, isCounted: !isInBackground)
    }
  }
}

extension KeyCopy: KeyCopyWaiter {
  /// An earlier copy of the key has ended.
  func keyCopyDidFinish(_ copy: KeyCopy) { beginOnceSettled() }
}
