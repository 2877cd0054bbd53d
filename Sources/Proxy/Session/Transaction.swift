internal import Hiredis
internal import MultiStore
internal import RESP

/// The commands of a client between MULTI and EXEC.
struct Transaction {
  /// The commands so far.
  private(set) var batch: CommandBatch
  /// The shapes of their replies, for a client that speaks RESP3.
  private(set) var shapes: [ReplyShape] = []
  /// Whether a command was refused: EXEC answers EXECABORT.
  var isRefused = false
  /// Whether the transaction took too much of `memory_limit`, and its commands were dropped.
  private(set) var isDropped = false

  init(batch: CommandBatch) {
    self.batch = batch
  }

  /// Adds a command.
  ///
  /// - Parameter shape: The shape of its reply, for a client that speaks RESP3.
  mutating func append(_ command: Span<UInt8>, id: CommandID, shape: ReplyShape?) {
    batch.append(command, id: id)
    if let shape { shapes.append(shape) }
  }

  /// Drops the commands, and those that are still to come.
  mutating func drop() {
    batch = CommandBatch()
    shapes = []
    isRefused = true
    isDropped = true
  }
}

/// MULTI, EXEC and the commands between them. Commands are queued here and not on the store's connection, which other
/// clients share.
extension Session {
  /// Executes one command of the class `transaction`. Nothing is in flight.
  func takeTransactionCommand(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) {
    switch spec.id {
    case .multi:
      guard transaction == nil else { return refuseNested(spec, "ERR MULTI calls can not be nested") }
      transaction = Transaction(batch: database.makeBatch())
      output.appendStatus("OK")
    case .exec: exec(routing)
    case .discard:
      guard transaction != nil else { return output.appendError("ERR DISCARD without MULTI") }
      discard()
      output.appendStatus("OK")
    case .watch:
      guard transaction == nil else { return refuseNested(spec, "ERR WATCH inside MULTI is not allowed") }
      takeWatch(bytes, spec, routing)
    default:  // UNWATCH
      own.endWatch()
      output.appendStatus("OK")
    }
  }

  /// Refuses MULTI or WATCH inside a transaction. With Redis, the transaction goes on.
  private func refuseNested(_ spec: CommandSpec, _ redisError: String) {
    guard spec.isRefusedInTransactions(in: dialect) else { return output.appendError(redisError) }
    transaction?.isRefused = true
    output.appendError(ServerWords.refusedInTransaction(spec, dialect))
  }

  /// Adds one command to the open transaction. Nothing is in flight.
  func queue(_ bytes: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int, _ routing: Routing) {
    if spec.accepts(argumentCount: argumentCount) { instance.methodMissing(spec.id) }
    let refusal =
      refusalInTransaction(bytes, spec, argumentCount: argumentCount, routing)
      ?? (routing.isDual ? instance.refusal(toReachDatabaseOf: bytes, spec)?.clientError : nil)
    if let refusal {
      transaction?.isRefused = true
      return output.appendError(refusal)
    }
    guard let batch = transaction?.batch else { return }
    // Dropped commands will not be executed.
    if transaction?.isDropped == true { return output.appendStatus("QUEUED") }
    guard batch.byteCount + bytes.count <= server.limits.transactionBytesLimit else {
      transaction?.isRefused = true
      return output.appendError("ERR MultiStore: the transaction is larger than the input buffer limit")
    }
    let limits = database.defaultStore.ordinary.limits
    guard batch.count < limits.maxQueuedCommands else {
      transaction?.isRefused = true
      return output.appendError("ERR MultiStore: the transaction has more commands than max_queued_commands")
    }
    transaction?.append(bytes, id: spec.id, shape: delivery.isUpgrading ? spec.replyShape(of: bytes, in: dialect) : nil)
    guard database.defaultStore.isStuck else { return output.appendStatus("QUEUED") }
    answerUnlessStoreIsBusy { $0.output.appendStatus("QUEUED") }
  }

  /// Returns a server's error for a command that can't be queued, or the sidecar's for one that can't be part of a
  /// transaction because the sidecar answers it, or no store does.
  private func refusalInTransaction(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    argumentCount: Int,
    _ routing: Routing
  ) -> String? {
    if spec.isUnknown(argumentCount: argumentCount) { return ServerWords.unknownCommand(bytes, spec) }
    if !spec.accepts(argumentCount: argumentCount) { return ServerWords.wrongNumberOfArguments(spec) }
    if spec.isRefusedInTransactions(in: dialect) { return ServerWords.refusedInTransaction(spec, dialect) }
    if let refusal = spec.refusal(of: bytes) ?? instance.refusal(of: spec) { return refusal.error(for: spec) }
    if let refusal = instance.refusal(ofScript: bytes, spec, routing) { return refusal.clientError }
    let isAnsweredHere = spec.commandClass == .connection && spec.id != .ping && spec.id != .echo
    guard isAnsweredHere || spec.commandClass == .pubsub || spec.traits.contains(.deepReply) else { return nil }
    return CommandRefusal.inTransaction.error(for: spec)
  }

  private func exec(_ routing: Routing) {
    guard let transaction, !transaction.isRefused else { return answerExec { $0.answerRefusedExec() } }
    switch own.watch.state {
    case .watching(let watched, _, _):
      self.transaction = nil
      own.watchEndsWithExec()
      if !server.monitors.isEmpty { withholdMonitorLines(of: transaction) }
      delivery.expectTransaction(transaction.shapes)
      execute(transaction.batch, as: .multi, routing: routing, over: own.connection)
      instance.endWatch(watched)
    case .lost(let loss): answerExec { $0.answerNil(because: loss) }
    case .idle where transaction.batch.count == 0:
      answerExec {
        $0.discard()
        $0.output.appendArrayHeader(0)
      }
    case .idle:
      self.transaction = nil
      if !server.monitors.isEmpty { showToMonitors(transaction) }
      delivery.expectTransaction(transaction.shapes)
      execute(transaction.batch, as: .multi, routing: routing)
    }
  }

  /// Answers an EXEC that goes to no store with `answer`, unless a script hangs on the default store: a server says so
  /// before anything else.
  private func answerExec(_ answer: @escaping (Session) -> Void) {
    guard database.defaultStore.isStuck else { return answer(self) }
    answerUnlessStoreIsBusy(answer) { $0.abortTransaction(because: $1) }
  }

  /// Answers an EXEC after a command that was refused, or without MULTI.
  private func answerRefusedExec() {
    guard let transaction else { return output.appendError("ERR EXEC without MULTI") }
    discard()
    let reason =
      transaction.isDropped
      ? "MultiStore: memory_limit of the sidecar was reached, and this client used more of it than others"
      : "previous errors"
    output.appendError("EXECABORT Transaction discarded because of \(reason).")
  }

  /// Answers EXEC with nil: a write may have gone to a store that does not watch the keys, or the watch was lost.
  private func answerNil(because loss: WatchLoss) {
    discard()
    instance.transactionWasRefused(because: loss)
    output.appendNullArray()
  }

  /// Aborts an EXEC that can't be tried: as on a server, the transaction and the watches end.
  func abortTransaction(because reason: String) {
    discard()
    output.appendError("EXECABORT Transaction discarded because of: \(reason)")
  }

  private func discard() {
    if let transaction { database.recycle(transaction.batch) }
    transaction = nil
    own.endWatch()
  }
}
