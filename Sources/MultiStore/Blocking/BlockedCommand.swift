internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A command that blocks on the client's own connection until it is served: BLPOP and its relatives.
///
/// When the default store moves, the command is unblocked (CLIENT UNBLOCK over the store's ordinary connection) and
/// sent to the new default store with the rest of its timeout. An element that arrives first is the client's.
/// ``BlockedCommandState`` decides, this class does the I/O, and a ``DualWrite`` copies the effect of a command that
/// was served.
final class BlockedCommand: ReplyReceiver {
  private static let defaultToken = 0
  static let unblockToken = 16

  let core: ExecutionCore
  var state = BlockedCommandState()
  /// The client's own connection, on which the command blocks.
  var connection: HiredisConnection?
  /// The sink, which is notified and asked while the command blocks.
  var client: (any BlockingSink)?
  /// The command's position in the order of arrival.
  var order = 0
  var startedAt: UInt64 = 0
  /// Whether the command's connection was still being made when the default store had moved.
  private var wasUnsentAtMove = false

  /// The instance that knows all blocked commands, whatever their database.
  var instance: Instance { core.database.instance }

  init(_ core: ExecutionCore) {
    self.core = core
  }

  /// Executes the command of `batch` over `connection`, the client's own.
  func start(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    for sink: any BlockingSink
  ) {
    client = sink
    startedAt = core.database.loop.now
    order = instance.blockedCommands.insert(self)
    self.connection = connection
    // The command may wait for ever, and flips must not. They wait for its trial and for the copy of its effect.
    core.begin(batch, routing: routing, writesToBoth: false, sink: sink)
    begin(over: connection)
    // The move has begun before the command, which waited for its keys or comes from a client that watches some.
    if isLeaving { unblock() }
  }

  /// The receiver of the reply; nil once it was notified.
  var sink: (any ReplySink)? { core.sink }

  /// Whether a flip that moves the default store waits for this command.
  var isUnblocking: Bool { state.isUnblocking && isLeaving }

  /// Whether the command is to be sent to the new default store.
  var isParked: Bool { state.isParked }

  /// Whether the wait is cancelled.
  var isCancelled: Bool { state.isCancelled }

  /// The store that the command waits on.
  var role: StoreRole { core.defaultRole }

  /// Whether the default store has moved away from that store, or is about to.
  var isLeaving: Bool { instance.routingState.flip.comingDefaultStore != role }

  /// Whether it has moved away.
  var hasLeft: Bool { isLeaving && instance.routingState.flip.isSettled }

  /// Closes the connection, so that the client gets an error, if the store has not answered within its command timeout
  /// after the command's own has passed: it hangs. A command that may wait for ever is not affected.
  func expire() {
    // A server that dumps a large key, over another connection, answers nothing meanwhile.
    guard core.isAwaited, !state.isAnswered, !core.ordinary.hasLongCommand,
      let limit = core.ordinary.limits.commandTimeout,
      let timeout = core.batch.withCommand(0, { BlockingTimeout($0, core.batch.spec(0))?.duration(in: $0) })
    else { return }
    connection?.expire(after: timeout + limit)
  }

  /// Applies a flip that leaves the default store in place: it decides whether the effect is copied.
  func follow(_ routing: Routing) {
    guard state.followsFlips, routing.defaultStore == role else { return }
    core.reroute(routing)
    noteUncopiedKeys()
  }

  /// Ends the wait on a store to which a connection was lost and is made again, before it gets any copy.
  func storeIsBack(_ store: Store) {
    if core.defaultStore === store, isLeaving { unblock() }
  }

  /// Handles the end of a flip.
  func flipEnded() {
    wasUnsentAtMove = isLeaving && (wasUnsentAtMove || connection?.isReady == false)
    switch state.flipEnded(hasLeft: isLeaving) {
    case .none: return
    case .follow: follow(instance.routingState.flip.current)
    case .retry: instance.retryUnblockingLater()
    }
  }

  func begin(over connection: HiredisConnection) {
    noteUncopiedKeys()
    if BlockingTrial.begin(core, for: self) {
      state.trialBegan()
      core.database.dualExecutionBegan()
    } else {
      core.sendOrRefuse(to: core.defaultStore, over: connection, token: Self.defaultToken, for: self)
    }
  }

  /// Marks the keys as stale on the other store if the command may change them on this one alone: dual write is off
  /// after it was on.
  private func noteUncopiedKeys() {
    guard instance.marksWrites else { return }
    core.batch.withCommand(0) { core.database.willWriteAlone($0, core.batch.spec(0)) }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.unblockToken: unblockAnswered(BlockedCommandState.UnblockAnswer(reply))
    case BlockingTrial.token: trialEnded(reply)
    case BlockingTrial.openToken: return
    default: replied(reply)
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.unblockToken:
      // The sidecar's own queue is full, and the store is asked again.
      if case .queueFull = failure { unblockAnswered(.notBlocked) } else { unblockAnswered(.failed) }
    case BlockingTrial.openToken: return  // EXEC fails as well
    case BlockingTrial.token:
      core.answerWithDefaultStoreFailure(failure)
      finish()
    default:
      state.connectionFailed()
      core.answerWithDefaultStoreFailure(failure)
      leave { finish() }
    }
  }

  /// Answers, unless a ``DualWrite`` does, and ends. Nothing may use the execution afterwards.
  func finish() {
    core.end()
    connection = nil
    client = nil
    switch state.finished() {
    case .none: return
    case .leaveAndReleaseFlips: leave {}
    case .releaseFlips: break
    }
    core.database.dualExecutionEnded()
  }

  private func trialEnded(_ reply: borrowing Reply) {
    if BlockingTrial.hasServed(reply) { return copyEffect(after: reply[0], over: core.ordinary) }
    if BlockingTrial.foundNothing(reply) {
      let action = state.trialFoundNothing(Self.encoded(reply[0]))
      if action != .none {
        perform(action)
        return core.database.dualExecutionEnded()
      }
    }
    if let connection {
      core.sendOrRefuse(to: core.defaultStore, over: connection, token: Self.defaultToken, for: self)
    }
    let action = state.trialEnded()
    if action == .ask { ask() }
    if action != .none { core.database.dualExecutionEnded() }
  }

  private func replied(_ reply: borrowing Reply) {
    if reply.kind == .nil, state.mayBeUnblocked { return perform(state.nilReceived(Self.encoded(reply))) }
    if isServedTooLate, reply.kind != .error, reply.kind != .nil { return discardElement() }
    switch state.replyReceived(hasEffect: hasEffect) {
    case .copy:
      guard let connection else { return }
      // The copy is in flight before a flip that waits for this command continues.
      core.database.dualExecutionBegan()
      let reply = copy reply
      leave { copyEffect(after: reply, over: connection) }
    case .answer:
      if let sink = core.sink { reply.encode(into: &sink.output) }
      leave { finish() }
    }
  }

  /// Whether an element that the store serves now was copied to it from the other one, to which the default store has
  /// moved: that one has the element too, and may have given it to another client. A request to end the wait is ahead
  /// of all copies, unless the store refuses it or gets the command after them. Writes from before the move may still
  /// reach this store alone, and so may those that the other one lacks.
  private var isServedTooLate: Bool {
    let (routing, spec) = (instance.routingState.flip.current, core.batch.spec(0))
    guard routing.isDual, routing.defaultStore != role, spec.effect != .none, wasUnsentAtMove || state.staysOnStore,
      !instance.routingState.hasLateWrites
    else { return false }
    let store = core.database.defaultStore
    return !core.batch.withCommand(0) { spec.hasKey(ofCommand: $0) { store.isAwaited($0) } }
  }

  private func discardElement() {
    state.connectionFailed()
    core.defaultStore.mayHaveMore(core.batch, 0)
    core.sink?.output.appendError(
      "UNBLOCKED MultiStore: the default store has moved away from the \(role.label) store: send the command again"
    )
    leave { finish() }
  }

  /// Returns a reply as it is encoded for the client.
  private static func encoded(_ reply: borrowing Reply) -> [UInt8] {
    var encoded = ByteBuffer()
    reply.encode(into: &encoded)
    return encoded.withSpan { $0.array }
  }

  /// Hands the effect over to a ``DualWrite``, which copies it and answers the client. Flips wait for it from now on.
  private func copyEffect(after reply: borrowing Reply, over connection: HiredisConnection) {
    let write = core.database.pools.dualWrites.take(for: role, in: core.database)
    write.takeOver(from: core, after: reply, over: connection)
    finish()
  }

  private var hasEffect: Bool { core.routing.isDual && core.batch.spec(0).effect != .none }

  /// Removes the command from the blocked ones; a flip that waited for it continues after `body`.
  func leave(_ body: () -> Void) {
    let instance = instance
    instance.blockedCommands.remove(self)
    body()
    instance.advanceRouting()
  }
}
