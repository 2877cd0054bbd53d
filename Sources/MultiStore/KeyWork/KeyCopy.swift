internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import RESP

/// Waits for keys to be copied. Loop-confined.
protocol KeyCopyWaiter: AnyObject {
  /// Notifies that one of the keys was copied, or could not be, which is counted and logged already.
  func keyCopyDidFinish(_ copy: KeyCopy)
}

/// The operation on a whole key of the target.
enum KeyVerb {
  /// The source's value replaces the target's. If the source has none, the target's is removed.
  case copyOver
  /// The source's value is stored if the target has none.
  case copyIfAbsent
  /// A client's command replaces the key, and nothing is copied; see ``KeyReplacement``.
  case replace
}

/// Copies one key as it is on one store to the other, with DUMP and RESTORE, or by its contents where the other one is
/// too old for the dump. Loop-confined.
///
/// The size is asked for first, since the stores need time for a large key, and then the deadline, so that nothing is
/// kept of a large dump but the command that stores it. DUMP is ordered with the commands of the ordinary connection.
/// Writes that the store answered before it are in the dump, and their copies on the other store are overwritten;
/// writes answered after it are sent after the RESTORE. So the copy is in order without holding anything back. If
/// RESTORE is refused, the key is read again as the commands that make it, which is ordered with the other commands as
/// well.
///
/// A copy to the default store is in order because no command that names the key is executed meanwhile.
final class KeyCopy: ReplyReceiver {
  private static let dumpToken = 0
  private static let expiryToken = 1
  private static let restoreToken = 2
  private static let deleteToken = 3
  private static let contentsToken = 4
  private static let openToken = 5
  private static let execToken = 6
  private static let presenceToken = 7
  private static let sizeToken = 8

  let key: [UInt8]
  private let verb: KeyVerb
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
  /// The deadline of the source's value in Unix milliseconds, 0 for none; nil if the source had no value.
  private var deadline: Int?
  /// The time that the stores get for it, if it is large.
  private var time = LargeKeyTime()
  /// The size of the dump.
  private(set) var dumpBytes = 0
  private(set) var failure: CopyFailure?
  /// Whether the source's value was stored.
  private(set) var hasStored = false
  /// Whether the source had no value.
  private(set) var wasMissing = false
  /// Whether it ended before anything was done.
  private(set) var wasWithdrawn = false
  /// Whether nothing was stored because the default store has moved to the target.
  private(set) var wasOvertaken = false
  /// Whether the source was asked for an absolute time: its known version may change until it answers.
  private var asksForAbsoluteTime = false
  /// Whether the target refused the dump.
  private var dumpWasRefused = false

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
    target.keyCopyBegan(self)
    database.instance.keyQueue.began()
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
    target.keyCopyEnded(self)
    database.instance.keyQueue.ended(bytes: dumpBytes)
  }

  /// Begins when earlier copies of the key to the source have ended. If it is stale there then, nothing is copied.
  func beginOnceSettled() {
    if let earlier = source.copyUnderWay(of: key) { return earlier.add(self) }
    let key = key
    if source.stale.contains(key.span) { finish() } else { begin() }
  }

  /// Ends the copy after the client's command has replaced the key, or failed.
  func keyWasReplaced(_ isReplaced: Bool) {
    let key = key
    if isReplaced { target.clearStale(key: key.span, begunAt: .max) }
    finish()
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
    if dumpWasRefused || target.refusesDumps {
      // The contents begin with a DEL.
      return verb == .copyOver ? askForContents() : send("EXISTS", to: target, token: Self.presenceToken)
    }
    guard let bytes else { return askForSize() }
    askForDump(bytes: bytes)
  }

  /// Asks for the dump of a key with so many bytes.
  private func askForDump(bytes: Int) {
    begunAt = database.loop.now
    time.begin(bytes: bytes, on: source.ordinary)
    asksForAbsoluteTime = source.hasExpiryTime
    send(asksForAbsoluteTime ? "PEXPIRETIME" : "PTTL", to: source, token: Self.expiryToken)
    send("DUMP", to: source, token: Self.dumpToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.sizeToken:
      askForDump(bytes: reply.integer)
    case Self.expiryToken:
      if reply.kind == .error { failure = CopyFailure(reply) } else { deadline = absoluteDeadline(reply.integer) }
    case Self.dumpToken:
      time.end()
      // From here on the store's replies are newer than the dump.
      database.pendingDumps.remove(self)
      if failure == nil, reply.kind == .error { failure = CopyFailure(reply) }
      guard failure == nil else { return finish() }
      guard reply.kind == .string else { return mayStore() ? sourceLacksKey() : finish() }
      // Another client has made the key between the two questions.
      guard let deadline else { return restart() }
      received(dump: reply.bytes, deadline: deadline)
    case Self.restoreToken:
      time.end()
      guard reply.kind == .error else { return finishStored() }
      if isPresent(reply) { return finish() }
      // Only the dump's format can be wrong with this RESTORE; other errors have codes of their own.
      if reply.knownErrorCode == .generic {
        dumpWasRefused = true
        restart()
      } else {
        giveUp(CopyFailure(reply))
      }
    case Self.contentsToken:
      database.pendingDumps.remove(self)
      guard mayStore() else { return finish() }
      if reply.kind == .array { sendContents(reply) } else { giveUp(CopyFailure(reply)) }
    case Self.presenceToken:
      if reply.kind == .integer, reply.integer == 0 { askForContents() } else { finish() }
    case Self.openToken: return  // OK and QUEUED; a refusal shows in EXEC's reply
    case Self.execToken:
      if let failure = KeyContents.failure(reply) { return giveUp(failure) }
      // Another dump would be refused as well.
      if dumpWasRefused { target.refusesDumps = true }
      finishStored()
    default:
      // A DEL: the value that it left is outdated still.
      if failure == nil, reply.kind == .error { failure = CopyFailure(reply) }
      finish()
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.openToken { return }  // EXEC fails as well
    if token == Self.dumpToken || token == Self.restoreToken { time.end() }
    if token == Self.sizeToken || token == Self.dumpToken || token == Self.contentsToken {
      database.pendingDumps.remove(self)
    }
    if self.failure == nil { self.failure = CopyFailure(failure) }
    if token != Self.expiryToken { finish() }
  }

  /// Whether the source's value, which has arrived, is still to be stored: the default store's may have been accepted
  /// or replaced meanwhile. And if the default store has moved to the target, its value is newer, unless it is stale,
  /// so that commands wait for the copy. Fails the copy if the source has come back as another process since it was
  /// asked.
  private func mayStore() -> Bool {
    let key = key
    if isInBackground, target.isDefault, !isForDefault, !target.stale.isKnown(key.span) {
      wasOvertaken = true
      return false
    }
    guard isForDefault, verb == .copyOver else { return true }
    guard target.stale.isKnown(key.span) else { return false }
    if source.family.mayHaveLostKeys {
      failure = CopyFailure(.notConnected(reason: "the \(source.role.label) store came back as another process"))
      return false
    }
    return true
  }

  // MARK: Dumps

  /// Stores a dump, which ``KeyDumps`` may have asked for.
  ///
  /// - Parameter deadline: the time at which the key expires, in Unix milliseconds; 0 for never.
  func received(dump: Span<UInt8>, deadline: Int) {
    guard mayStore() else { return finish() }
    dumpBytes = dump.count
    database.instance.keyQueue.received(bytes: dumpBytes)
    restore(dump, deadline: deadline)
  }

  /// Ends the copy, of which nothing was done: its key is too large to be copied with others.
  func withdraw() {
    wasWithdrawn = true
    finish()
  }

  /// Ends a copy that could not begin.
  func fail(_ failure: CopyFailure) {
    self.failure = failure
    finish()
  }

  /// Whether the target refuses the dump because it has the key, which is fine.
  private func isPresent(_ reply: borrowing Reply) -> Bool {
    verb == .copyIfAbsent && reply.errorCode == "BUSYKEY"
  }

  /// Deletes the key on the target, whose value is outdated, since the source's can't be stored there. On the default
  /// store the value stays, as the only one that is left.
  private func giveUp(_ failure: CopyFailure) {
    self.failure = failure
    guard verb == .copyOver, !target.isDefault else { return finish() }
    send("DEL", to: target, token: Self.deleteToken)
  }

  private func askForContents() {
    let key = key
    var question = ByteBuffer()
    KeyContents.appendQuestion(about: key.span, to: &question)
    source.ordinary.send(question.span, to: self, token: Self.contentsToken)
  }

  /// Sends the commands that `reply` consists of, between MULTI and EXEC.
  private func sendContents(_ reply: borrowing Reply) {
    let connection = target.ordinary
    var commands = ByteBuffer()
    var ends: [Int] = []
    for index in 0..<reply.count {
      reply[index].encode(into: &commands)
      ends.append(commands.count)
    }
    guard connection.hasRoom(commands: ends.count + 2, bytes: commands.count + 64) else {
      return giveUp(CopyFailure(.queueFull(limit: connection.limits.maxQueuedCommands)))
    }
    let (multi, exec) = (PipelineExecution.multi, PipelineExecution.exec)
    connection.send(multi.span, to: self, token: Self.openToken)
    var start = 0
    for end in ends {
      connection.send(commands.span.extracting(start..<end), to: self, token: Self.openToken)
      start = end
    }
    connection.send(exec.span, to: self, token: Self.execToken)
  }

  /// Returns the deadline that an answer of PEXPIRETIME or PTTL means; nil if the source has no such key.
  private func absoluteDeadline(_ answer: Int) -> Int? {
    guard answer > -2 else { return nil }
    return answer > 0 && !asksForAbsoluteTime ? answer + Int(database.loop.wallClockMilliseconds) : max(0, answer)
  }

  private func restore(_ dump: Span<UInt8>, deadline: Int) {
    let key = key
    var command = ByteBuffer(minimumCapacity: dump.count + key.count + 128)
    command.appendCommand(expecting: verb == .copyOver ? 6 : 5) { command in
      command.append("RESTORE")
      command.append(key.span)
      command.append(decimal: deadline)
      command.append(dump)
      if verb == .copyOver { command.append("REPLACE") }
      command.append("ABSTTL")
    }
    time.begin(bytes: dump.count, on: target.ordinary)
    // A large one is written from where it is.
    let owner = SharedBytes(command)
    owner.withSpan { target.ordinary.send($0, of: owner, to: self, token: Self.restoreToken) }
  }

  /// Servers answer together what they read together: only a question of its own is answered before a long DUMP.
  private func askForSize() {
    let key = key
    var question = ByteBuffer()
    question.appendCommand(expecting: 3) { question in
      question.append("MEMORY")
      question.append("USAGE")
      question.append(key.span)
    }
    source.ordinary.send(question.span, to: self, token: Self.sizeToken)
  }

  /// Ends the copy of a key that the source does not have.
  func sourceLacksKey() {
    wasMissing = true
    if verb == .copyOver { send("DEL", to: target, token: Self.deleteToken) } else { finish() }
  }

  private func send(_ name: StaticString, to store: Store, token: Int) {
    let key = key
    var command = ByteBuffer()
    command.appendCommand(expecting: 2) { command in
      command.append(name)
      command.append(key.span)
    }
    store.ordinary.send(command.span, to: self, token: token)
  }

  private func finishStored() {
    hasStored = true
    finish()
  }

  private func finish() {
    let key = key
    target.keyCopyEnded(self)
    database.rechecks?.noteChange(of: key.span)
    if let failure {
      if verb == .copyOver { target.markStale(key: key, because: StaleReason(failure.reason)) }
      database.reporter.keyCopyFailed(to: target, failure, isCounted: !isInBackground)
    } else {
      if verb == .copyOver, !wasOvertaken { target.clearStale(key: key.span, begunAt: begunAt) }
      if verb == .copyOver, database.notesWrittenKeys, !target.isDefault {
        database.quietKeys.note(key.span, now: database.loop.now)
      }
      if !isInBackground, verb == .copyOver || hasStored { database.metrics.keyCopies.increment() }
    }
    let waiters = waiters
    self.waiters = []
    for waiter in waiters { waiter.keyCopyDidFinish(self) }
    database.instance.keyQueue.ended(bytes: dumpBytes)
  }
}

extension KeyCopy: KeyCopyWaiter {
  /// An earlier copy of the key has ended.
  func keyCopyDidFinish(_ copy: KeyCopy) { beginOnceSettled() }
}
