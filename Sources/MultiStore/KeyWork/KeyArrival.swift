internal import Hiredis
internal import RESP

/// A batch that waits for its keys to be on the default store. Keys that are stale there are copied over; in the third
/// state, those that only the old store has are moved.
///
/// ``KeyArrivalState`` decides, this class does the I/O. A flip waits for it, and it waits for no longer than the
/// stores' connections wait for a reply. Loop-confined; what it waits for retains it.
final class KeyArrival {
  /// The way in which the batch is executed afterwards.
  enum Start {
    /// As by ``Database/execute(_:as:routing:over:for:)``.
    case batch(BatchKind, over: HiredisConnection?)
    /// As by ``Database/executeBlocking(_:routing:over:for:)``.
    case blocking(over: HiredisConnection, for: any BlockingSink)
    /// As a ``RawExecution``.
    case raw
  }

  /// A key, and the first command of the batch that depends on it.
  private struct Question {
    let key: [UInt8]
    let index: Int
  }

  private let database: Database
  private let batch: CommandBatch
  private let routing: Routing
  private let start: Start
  private let sink: any ReplySink
  private let defaultStore: Store
  private let other: Store
  private var state = KeyArrivalState()
  /// The keys that the default store is asked for.
  private var questions: [Question] = []
  /// The keys that it lacks.
  private var missing: [Question] = []
  /// The copies that were begun for this batch, each with the command that depends on its key.
  private var moves: [ObjectIdentifier: Int] = [:]
  /// The last failure of a copy.
  private var failure: CopyFailure?
  /// The epoch of the connection that watches keys for a transaction, if there is one.
  private let watchEpoch: Int?

  init(of batch: CommandBatch, to start: Start, routing: Routing, in database: Database, for sink: any ReplySink) {
    self.database = database
    self.batch = batch
    self.routing = routing
    self.start = start
    self.sink = sink
    defaultStore = database.store(routing.defaultStore)
    other = database.store(routing.defaultStore.other)
    if case .batch(.multi, let connection?) = start { watchEpoch = connection.epoch } else { watchEpoch = nil }
  }

  /// Begins to wait. The batch may be answered before this call returns.
  func begin() {
    database.dualExecutionBegan()
    if case .blocking = start { database.instance.blockedCommands.arrivalBegan(for: sink) }
    if routing.movesMissingKeys, database.canMoveKeys { findQuestions() }
    look()
  }

  private func findQuestions() {
    var seen: Set<[UInt8]> = []
    for index in 0..<batch.count {
      let spec = batch.spec(index)
      batch.withCommand(index) { command in
        guard spec.dependsOnKeys(command) else { return }
        spec.forEachKey(ofCommand: command) { key in
          // An older value is not to be moved.
          guard !other.lacksWrites(of: key), seen.insert(key.array).inserted else { return }
          questions.append(Question(key: key.array, index: index))
        }
      }
    }
  }

  private func look() {
    var outdated: Set<[UInt8]> = []
    for index in 0..<batch.count {
      batch.withCommand(index) { command in
        batch.spec(index).forEachKey(ofCommand: command) { if defaultStore.isAwaited($0) { outdated.insert($0.array) } }
      }
    }
    let canCopy = !other.family.mayHaveLostKeys
    perform(state.looked(outdated: outdated.count, questions: questions.count, canCopy: canCopy), outdated)
  }

  private func perform(_ action: KeyArrivalState.Action, _ outdated: Set<[UInt8]> = []) {
    // A flip waits for the arrival, but not beyond its time limit.
    let hasMoved = database.defaultStore !== defaultStore
    switch action {
    case .wait: return
    case _ where hasMoved:
      end { answer("the default store moved while the command waited for a key to be copied: send it again") }
    case .look: look()
    case .copy: for key in outdated { _ = database.bring(key, .copyOver, afterWrites: false, for: self) }
    case .ask: ask()
    case .move: move()
    case .execute: end { execute(for: sink) }
    case .giveUp: end { giveUp(outdated) }
    case .failAsking(let failure):
      // As if the default store had failed at the commands themselves, none of which was executed.
      end { answer(withError: failure.clientError, failure.failure, of: defaultStore.role) }
    case .failMoving:
      end { answer("the \(other.role.label) store has a key that could not be moved", because: failure) }
    }
  }

  private func move() {
    let missing = missing
    let action = state.moveBegan(missing.count)
    for question in missing {
      if let copy = database.bring(question.key, .copyIfAbsent, afterWrites: true, for: self) {
        moves[ObjectIdentifier(copy)] = question.index
      }
    }
    perform(action)
  }

  // MARK: The end

  /// Runs `body`, after which no flip waits for the arrival.
  private func end(_ body: () -> Void) {
    let (database, sink) = (database, sink)
    let isCancelled = database.instance.blockedCommands.arrivalEnded(for: sink)
    body()
    if isCancelled { _ = database.instance.blockedCommands.cancel(of: sink) }
    database.dualExecutionEnded()
  }

  private func execute(for sink: any ReplySink) {
    // A flip that does not move the default store may have become active meanwhile.
    let routing = database.instance.routingState.flip.current
    switch start {
    case .batch(.multi, let connection?) where connection.epoch != watchEpoch || !connection.isReady:
      answerLostWatch()
    case .batch(let kind, let connection):
      database.executeAtOnce(batch, as: kind, routing: routing, over: connection, for: sink)
    case .blocking(let connection, let sink):
      // The client may have disconnected, and must not be served.
      guard connection.takesCommands else { return answer("the connection for the command was closed: send it again") }
      database.executeBlockingAtOnce(batch, routing: routing, over: connection, for: sink)
    case .raw:
      guard !database.executeRawAtOnce(batch, routing: routing, for: sink) else { return }
      answer("max_dedicated_connections are open already: send it again")
    }
  }

  /// Executes a write that replaces its keys, though they are still outdated: it does not need their values. Refuses
  /// all others.
  private func giveUp(_ outdated: Set<[UInt8]>) {
    if case .batch(.single, _) = start, batch.withCommand(0, { batch.spec(0).replacesBlindly($0) }) {
      return execute(for: KeyReplacement(of: outdated, on: defaultStore, in: database, for: sink))
    }
    if other.family.mayHaveLostKeys { return answer(Self.lostKeys(of: other.role)) }
    answer(
      "a key of the command is outdated on the \(defaultStore.role.label) store, and could not be copied from the "
        + "\(other.role.label) store",
      because: failure
    )
  }

  private static func lostKeys(of role: StoreRole) -> String {
    "a key of the command is outdated on the \(role.other.label) store, and the \(role.label) store, which had its "
      + "value, came back as another process: compare them, then run multistore-exporter trust or stale accept, or "
      + "replace the key as a whole"
  }

  /// Answers a transaction whose connection was lost meanwhile, and with it the watched keys.
  private func answerLostWatch() {
    database.instance.transactionWasRefused(because: .connectionLost)
    sink.output.appendNullArray()
    database.recycle(batch)
    sink.executionDidFinish()
  }

  /// Answers with an error, without executing anything.
  private func answer(_ message: String, because failure: CopyFailure?) {
    guard let failure, !failure.isOfTarget else { return answer("\(message): send it again") }
    let hint = "make the \(other.role.label) store reachable, or replace the key as a whole"
    answer("\(message) (\(failure.reason.rawValue)): \(hint)")
  }

  private func answer(_ text: String) {
    answer(withError: "ERR MultiStore: \(text)", .notConnected(reason: text), of: other.role)
  }

  private func answer(withError text: String, _ failure: ConnectionFailure, of role: StoreRole) {
    var count = 1
    if case .batch(.pipelined, _) = start { count = batch.count }
    for index in 0..<count {
      sink.output.appendError(text)
      sink.executionDidFail(failure, at: index, on: role)
    }
    database.recycle(batch)
    sink.executionDidFinish()
  }
}

// MARK: Events

extension KeyArrival: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    if let index = moves.removeValue(forKey: ObjectIdentifier(copy)), case .stored = copy.outcome {
      database.reporter.fellBack(batch, index)
    }
    guard let failure = copy.outcome.failure else { return perform(state.copyEnded(.done)) }
    self.failure = failure
    perform(state.copyEnded(failure.isRefusal || failure.isOfTarget ? .failed : .unreachable))
  }
}

extension KeyArrival: ReplyReceiver {
  /// Asks the default store which keys it has.
  private func ask() {
    for (token, question) in questions.enumerated() {
      defaultStore.send("EXISTS", question.key, to: self, token: token)
    }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard reply.kind == .integer else {
      let error =
        reply.kind == .error
        ? String(decoding: reply.bytes.array, as: UTF8.self)
        : "ERR MultiStore: the \(defaultStore.role.label) store does not say whether it has a key: send it again"
      return askingFailed(error, .notConnected(reason: error))
    }
    if reply.integer == 0 { missing.append(questions[token]) }
    perform(state.answered())
  }

  func receive(failure: ConnectionFailure, token: Int) {
    askingFailed(failure.clientError(store: defaultStore.role), failure)
  }

  private func askingFailed(_ clientError: String, _ failure: ConnectionFailure) {
    perform(state.answered(KeyArrivalState.AskingFailure(clientError: clientError, failure: failure)))
  }
}
