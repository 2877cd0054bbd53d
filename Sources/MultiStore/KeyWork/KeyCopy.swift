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
  private unowned let database: Database
  private let source: Store
  let target: Store
  private var state: KeyCopyState
  private var waiters: [any KeyCopyWaiter] = []
  /// The loop's clock when the source was asked.
  private var begunAt: UInt64 = 0
  /// The key's size in the source's memory, as far as it is known.
  private var bytes = 0
  /// The time that the stores get for it, if it is large.
  private var time = LargeKeyTime()
  /// The size of the dump.
  private(set) var dumpBytes = 0
  /// The result, once it has ended.
  private(set) var outcome = KeyCopyOutcome.unneeded

  /// - Parameter isInBackground: whether only the ``KeyQueue``, or a job, waits for it.
  init(
    _ key: [UInt8],
    _ verb: KeyVerb,
    from source: Store,
    to target: Store,
    of database: Database,
    isInBackground: Bool = false
  ) {
    self.key = key
    self.source = source
    self.target = target
    self.database = database
    state = KeyCopyState(verb, isInBackground: isInBackground, isForDefaultStore: target.isDefault)
    target.keysBeingCopied.began(self)
    database.instance.keyQueue.began(isForClient: !isInBackground)
  }

  var verb: KeyVerb { state.verb }

  func add(_ waiter: any KeyCopyWaiter) {
    waiters.append(waiter)
  }

  // MARK: The beginning

  /// Begins when earlier copies of the key to the source have ended. If it is stale there then, nothing is copied.
  func beginOnceSettled() {
    if let earlier = source.keysBeingCopied.latest(of: key) { return earlier.add(self) }
    let key = key
    if source.lacksWrites(of: key.span) { perform(state.isUnneeded()) } else { begin() }
  }

  /// Begins the copy.
  func begin() {
    begunAt = database.loop.now
    perform(state.begins(takesCommands: target.ordinary.takesCommands))
  }

  /// Begins the copy of a key whose size in the source's memory is known.
  func begin(bytes: Int) {
    begunAt = database.loop.now
    self.bytes = bytes
    let refusal = target.server.keyRefusal.flatMap { $0.concerns(keyOf: bytes, at: begunAt) ? $0.failure : nil }
    perform(
      state.sizeKnown(
        takesCommands: target.ordinary.takesCommands,
        refusal: refusal,
        refusesDumps: target.server.refusesDumps
      )
    )
  }

  /// Begins anew, unless another copy of the key does that already: its waiters get this one's as well.
  private func beginAgain() {
    // Clients' copies join only those that replace the other store's value.
    guard !target.isDefault, verb == .copyOver else { return begin() }
    guard let other = database.pendingDumps[key] else {
      database.pendingDumps.insert(self)
      return begin()
    }
    other.waiters += waiters
    waiters = []
    target.keysBeingCopied.ended(self)
    database.instance.keyQueue.ended(bytes: dumpBytes)
  }

  /// Ends the copy after the client's command has replaced the key, or failed.
  func keyWasReplaced(_ isReplaced: Bool) {
    let key = key
    if isReplaced { target.clearStale(key: key.span, begunAt: .max) }
    perform(state.isUnneeded())
  }

  /// Ends the copy, of which nothing was done: its key is too large to be copied with others.
  func withdraw() { perform(state.wasWithdrawn()) }

  // MARK: The source's answers

  /// Notes that the source has answered DUMP: from here on its replies are newer.
  func dumpArrived() { database.pendingDumps.remove(self) }

  /// Stores a dump, which ``KeyDump`` or ``KeyDumps`` has asked for.
  ///
  /// - Parameter deadline: the time at which the key expires, in Unix milliseconds; 0 for never.
  func received(dump: Span<UInt8>, deadline: Int) {
    let action = state.dumpArrived(circumstances)
    guard action == .restore else { return perform(action) }
    dumpBytes = dump.count
    database.instance.keyQueue.received(bytes: dumpBytes)
    restore(dump, deadline: deadline)
  }

  /// Ends the copy of a key that the source does not have.
  func sourceLacksKey() { perform(state.sourceLacksKey(circumstances)) }

  /// Begins anew, as there was no deadline to the dump. A source of which that is true each time is not asked on.
  func askAgain() { perform(state.deadlineMissing(otherwise: CopyFailure(senselessReplyOf: source.role))) }

  /// Ends a copy that the source did not answer.
  func fail(_ failure: CopyFailure) { perform(state.sourceFailed(failure)) }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.sizeToken: begin(bytes: reply.integer)
    case Self.restoreToken:
      time.end()
      perform(state.restoreReplied(answer(to: reply), isToDefaultStore: target.isDefault))
    default:
      perform(state.deleteReplied(reply.kind == .integer ? nil : CopyFailure(unexpected: reply, of: target.role)))
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.restoreToken { time.end() }
    let failure = CopyFailure(failure)
    perform(token == Self.sizeToken ? state.sourceFailed(failure) : state.targetFailed(failure.ofTarget))
  }

  /// Interprets the target's reply to RESTORE, and notes what it says about other keys.
  private func answer(to reply: borrowing Reply) -> KeyCopyState.Answer {
    guard reply.kind == .error else {
      target.server.keyRefusal = nil
      return .stored
    }
    if verb == .copyIfAbsent, reply.errorCode == "BUSYKEY" { return .isPresent }
    // Only the dump's format can be wrong with this RESTORE; other errors have codes of their own.
    if reply.knownErrorCode == .generic { return .dumpRefused }
    let failure = CopyFailure(reply).ofTarget
    // A user may lack the right to this key alone.
    if bytes >= KeyRefusal.costlyBytes, failure.isRefusal, reply.knownErrorCode != .noPermission {
      target.server.keyRefusal = KeyRefusal(failure: failure, at: database.loop.now)
    }
    return .failed(failure)
  }

  /// Makes sure that the target, which was emptied after the source had been asked, does not get the value.
  func targetWasEmptied() {
    if state.targetWasEmptied() { target.send("DEL", key, to: DiscardedReplies.shared) }
  }

  private var circumstances: KeyCopyState.Circumstances {
    let key = key
    let wasReplaced = source.family.mayHaveLostKeys
    return KeyCopyState.Circumstances(
      isToDefaultStore: target.isDefault,
      isDual: database.instance.routingState.flip.current.isDual,
      isStaleOnTarget: target.stale.isKnown(key.span),
      keepsOldValue: target.role == .secondary && target.stale.mark(of: key)?.reason.isUnacknowledged == true,
      sourceWasReplaced: wasReplaced ? CopyFailure(replacedSource: source.role) : nil
    )
  }

  // MARK: The steps

  private func perform(_ action: KeyCopyState.Action) {
    switch action {
    case .askForSize: askForSize()
    case .askForDump: KeyDump.ask(for: self, bytes: bytes, from: source)
    case .copyContents: copyContents()
    case .delete: target.send("DEL", key, to: self, token: Self.deleteToken)
    case .beginAgain: beginAgain()
    case .finish(let outcome): finish(outcome)
    case .failUnsent:
      // At the end of the turn, without a dump that the target could not take.
      database.pendingDumps.remove(self)
      target.ordinary.failUnsent(self, token: Self.deleteToken)
    case .restore: preconditionFailure("a dump is restored where it has arrived")
    }
  }

  private func copyContents() {
    KeyContentsCopy.begin(key, bytes: bytes, from: source, to: target, replaces: verb == .copyOver) { [self] in
      database.pendingDumps.remove(self)
      return state.obstacle(circumstances)
    } then: { [self] result in
      // Another dump would be refused as well.
      if result == .ended(.stored), state.dumpWasRefused { target.server.refusesDumps = true }
      perform(state.contentsEnded(result, circumstances))
    }
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

  private func finish(_ end: KeyCopyOutcome) {
    let key = key
    outcome = end
    database.pendingDumps.remove(self)
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
      isInBackground: state.isInBackground,
      isToDefaultStore: target.isDefault,
      keepsTarget: state.keepsTarget
    )
    let consequences = accounting.consequences(of: outcome)
    if let reason = consequences.mark { target.markStale(key: key, because: reason) }
    if consequences.clearsMark { target.clearStale(key: key.span, begunAt: begunAt) }
    if consequences.isChecked, database.notesWrittenKeys { database.quietKeys.note(key.span, now: database.loop.now) }
    if consequences.isCounted { database.metrics.keyCopies.increment() }
    if let failure = outcome.failure {
      database.reporter.keyCopyFailed(to: target, failure, isCounted: !state.isInBackground)
    }
  }
}

extension KeyCopy: KeyCopyWaiter {
  /// An earlier copy of the key has ended.
  func keyCopyDidFinish(_ copy: KeyCopy) { beginOnceSettled() }
}
