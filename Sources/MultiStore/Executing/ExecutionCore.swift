internal import CoreMetrics
public import Hiredis
internal import RESP

/// The part that all kinds of execution have in common: a batch of commands, the stores that execute it, and the client
/// that gets the replies. It answers, notes failures and refuses commands for lack of room.
///
/// It is reused for other batches under the same default store together with the execution that holds it. A value of
/// constants, so that its holder reads them without counting a reference, which the constants of an object within an
/// object would cost; what changes is in ``State``. Loop-confined.
struct ExecutionCore {
  /// The values that change from batch to batch.
  private final class State {
    var sink: (any ReplySink)?
    var routing = Routing(flags: FlagState(), canUsePrimary: false, readPolicy: .fallback)
    var writesToBoth = false
    var begunAt: UInt64 = 0
    var isOnOrdinary = true
    /// The connection to the default store until it has answered; nil for its ordinary one.
    var connection: HiredisConnection?
    var keyCopiesLeft = 0
    /// Keys that it has announced to ``PendingDumps``.
    var announcedKeys: Set<[UInt8]> = []
    var hasAnnouncedKeys = false
  }

  /// The most memory that each buffer of an execution keeps for its next use, in bytes.
  static let keptCapacity = 16 << 10

  /// The database whose stores execute. It is retained, so that no reference is counted where it is used; a closed
  /// database has failed all commands and keeps no executions.
  let database: Database
  /// The role of ``defaultStore``. A pass-through instance has its secondary in both roles.
  let defaultRole: StoreRole
  /// The store whose reply is the client's.
  let defaultStore: Store
  /// The ordinary connection to ``defaultStore``.
  let ordinary: HiredisConnection
  /// The store that gets copies, if the instance has it.
  let other: Store
  /// The ordinary connection to ``other``.
  let otherOrdinary: HiredisConnection
  /// The commands; none between two uses.
  let batch = CommandBatch()
  private let state = State()

  /// A core without a batch, for routings whose default store has the role `defaultRole`.
  init(in database: Database, defaultRole: StoreRole) {
    self.database = database
    self.defaultRole = defaultRole
    defaultStore = database.store(defaultRole)
    ordinary = defaultStore.ordinary
    other = database.store(defaultRole.other)
    otherOrdinary = other.ordinary
  }

  /// The receiver of the replies; nil once it was notified.
  @inline(__always)
  var sink: (any ReplySink)? { state.sink }

  /// Whether a client waits for the replies.
  @inline(__always)
  var isAwaited: Bool { state.sink != nil }

  /// The routing of the batch.
  @inline(__always)
  var routing: Routing { state.routing }

  /// Whether the order on both stores depends on this execution, so that flips wait for its end.
  @inline(__always)
  var writesToBoth: Bool { state.writesToBoth }

  /// The loop's clock at the start, in nanoseconds; 0 unless the order on both stores depends on it.
  @inline(__always)
  var begunAt: UInt64 { state.begunAt }

  // MARK: Begin and end

  /// Takes over the commands of `batch`.
  ///
  /// - Parameter writesToBoth: whether the order on both stores depends on the execution.
  func begin(_ batch: consuming CommandBatch, routing: Routing, writesToBoth: Bool, sink: any ReplySink) {
    self.batch.swapCommands(with: batch)
    database.recycle(batch)
    state.sink = sink
    state.routing = routing
    state.writesToBoth = writesToBoth
    state.begunAt = writesToBoth ? database.dualExecutionBegan() : 0
  }

  /// Takes over the batch and the client of another execution, to go on under `routing`. The other one has neither
  /// afterwards.
  func takeOver(from predecessor: ExecutionCore, routing: Routing, writesToBoth: Bool) {
    batch.swapCommands(with: predecessor.batch)
    state.sink = predecessor.takeSink()
    state.begunAt = predecessor.begunAt
    state.routing = routing
    state.writesToBoth = writesToBoth
    if writesToBoth { database.dualExecutionBegan() }
  }

  /// Applies `routing`, whose default store is the same, from now on.
  func reroute(_ routing: Routing) {
    state.routing = routing
  }

  /// Answers, and drops the commands. Flips no longer wait for the execution.
  func end() {
    answer()
    withdrawKeys()
    if writesToBoth { database.dualExecutionEnded() }
    batch.removeAll()
  }

  // MARK: The way to the default store

  /// Whether the default store is reached over its ordinary connection, and not over a session's own or an isolated
  /// one.
  @inline(__always)
  var isOnOrdinary: Bool { state.isOnOrdinary }

  /// Notes that the batch goes to the default store over `connection`, until ``leaveDefaultStore()``.
  @inline(__always)
  func reach(over connection: HiredisConnection) {
    state.isOnOrdinary = connection === ordinary
    guard !state.isOnOrdinary else { return }
    state.connection = connection
    defaultStore.executionBegan(over: connection)
  }

  /// Notes that nothing of the batch is in flight to the default store, before the client is answered.
  @inline(__always)
  func leaveDefaultStore() {
    if let connection = state.connection.take() { defaultStore.allWasAnswered(over: connection) }
  }

  // MARK: Answering

  /// Takes the sink out, for another object that continues with the batch and answers the client.
  func takeSink() -> (any ReplySink)? { state.sink.take() }

  /// Notifies the sink that the replies are in its output, once.
  func answer() {
    state.sink.take()?.executionDidFinish()
  }

  // MARK: Failing

  /// Answers the command of a batch of one with the failure of `role`'s store.
  func answerWithFailure(_ failure: ConnectionFailure, of role: StoreRole) {
    guard let sink else { return }
    sink.output.appendError(failure.clientError(store: role))
    sink.executionDidFail(failure, at: 0, on: role)
  }

  /// Answers the command of a batch of one with the default store's failure. If it may have been executed, the other
  /// store may lack it.
  func answerWithDefaultStoreFailure(_ failure: ConnectionFailure) {
    answerWithFailure(failure, of: routing.defaultStore)
    noteUnknownEffect(of: failure, at: 0)
  }

  /// Counts and marks the command at `index` as a failed copy if the store may have executed it without answering, so
  /// that the other store may lack it. When the default store has moved meanwhile, the new one is authoritative, and
  /// the old one may have a change too many.
  func noteUnknownEffect(of failure: ConnectionFailure, at index: Int) {
    guard failure.mayHaveBeenExecuted, routing.isDual else { return }
    if database.defaultStore === other { defaultStore.mayHaveMore(batch, index) } else { other.mayLack(batch, index) }
  }

  // MARK: Refusing

  /// Checks that `connection` has room for the batch, before any part of it is sent. Commands that are refused are
  /// counted.
  ///
  /// - Parameters:
  ///   - framing: the number of commands that are sent in addition.
  ///   - bytes: the bytes of all commands.
  /// - Returns: the failure that the commands get; nil if there is room.
  func refusal(
    by store: Store,
    over connection: HiredisConnection,
    framing: Int = 0,
    bytes: Int
  ) -> ConnectionFailure? {
    guard !connection.hasRoom(commands: batch.count + framing, bytes: bytes) else { return nil }
    store.metrics.rejected.increment(by: batch.count)
    return .queueFull(limit: connection.limits.maxQueuedCommands)
  }

  /// Sends the command of a batch of one to `store`, or refuses it if the queue has no room. A session has one
  /// execution at a time, so that the refusal needs no position in the connection's order.
  ///
  /// - Returns: false if it was refused. `receiver` was notified, and the execution may be over.
  @discardableResult
  func sendOrRefuse(
    to store: Store,
    over connection: HiredisConnection,
    token: Int,
    for receiver: some ReplyReceiver
  ) -> Bool {
    if let failure = refusal(by: store, over: connection, bytes: batch.byteCount) {
      receiver.receive(failure: failure, token: token)
      return false
    }
    batch.withCommand(0) { connection.send($0, of: batch.owner(0), to: receiver, token: token) }
    return true
  }

  // MARK: Copies of whole keys

  /// Whether copies of whole keys are in flight.
  var isCopyingKeys: Bool { state.keyCopiesLeft > 0 }

  /// Copies keys of the command at `index` to the other store. `waiter` is notified for each.
  func copyKeys(_ selection: KeySelection, of index: Int, isOnOrdinary: Bool, for waiter: any KeyCopyWaiter) {
    state.keyCopiesLeft += batch.withCommand(index) {
      database.copyKeys(
        of: $0,
        batch.bytesSpec(index),
        selection,
        from: routing.defaultStore,
        isOnOrdinary: isOnOrdinary,
        for: waiter
      )
    }
  }

  /// Announces that the keys of the command at `index` will be copied whole: other executions do not send commands
  /// that name them to the other store, which has the values from before.
  func announceKeys(of index: Int) {
    let spec = batch.bytesSpec(index)
    batch.withCommand(index) { command in
      spec.forEachKey(ofCommand: command) {
        let key = $0.array
        if state.announcedKeys.insert(key).inserted { database.pendingDumps.announce(key) }
      }
    }
    state.hasAnnouncedKeys = !state.announcedKeys.isEmpty
  }

  @inline(__always)
  var hasAnnouncedKeys: Bool { state.hasAnnouncedKeys }

  /// Withdraws what was announced: the copies have begun, or nothing is to be copied.
  @inline(__always)
  func withdrawKeys() {
    if state.hasAnnouncedKeys { withdrawAnnouncedKeys() }
  }

  private func withdrawAnnouncedKeys() {
    for key in state.announcedKeys { database.pendingDumps.withdraw(key) }
    state.announcedKeys = []
    state.hasAnnouncedKeys = false
  }

  /// Notes that a copy ended.
  func keyCopyEnded() {
    state.keyCopiesLeft -= 1
  }
}

extension ConnectionFailure {
  /// The error reply that a client gets.
  public func clientError(store: StoreRole) -> String {
    if case .busy(let errorReply) = self { return errorReply }
    return "ERR MultiStore: \(store.label) store: \(self)"
  }
}
