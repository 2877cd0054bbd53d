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
  private static let unblockToken = 16

  private let core: ExecutionCore
  private var state = BlockedCommandState()
  /// The client's own connection, on which the command blocks.
  private var connection: HiredisConnection?
  /// The sink, which is notified and asked while the command blocks.
  private var client: (any BlockingSink)?
  /// The command's position in the order of arrival.
  private(set) var order = 0
  private var startedAt: UInt64 = 0
  /// Whether the command's connection was still being made when the default store had moved.
  private var wasUnsentAtMove = false

  /// The instance that knows all blocked commands, whatever their database.
  private var instance: Instance { core.database.instance }

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
  private var isLeaving: Bool { instance.routingState.flip.comingDefaultStore != role }

  /// Whether it has moved away.
  private var hasLeft: Bool { isLeaving && instance.routingState.flip.isSettled }

  /// Ends the wait for good.
  func cancel() {
    if canBeUnblocked { perform(state.cancel()) }
  }

  /// Ends the wait on this store, if possible.
  func unblock() {
    if canBeUnblocked { perform(state.unblock()) }
  }

  /// Asks the store again to end the wait, if it had not received the command before, or closes the connection, if the
  /// store can't be asked and is the default store no longer.
  func retry() {
    switch state.retry(hasLeft: hasLeft) {
    case .none: return
    case .ask: ask()
    case .closeConnection: connection?.expire(after: .zero)
    }
  }

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

  private func begin(over connection: HiredisConnection) {
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
  private func finish() {
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

  /// Sends the parked command to the store that is the default now.
  func resume(_ routing: Routing) {
    guard state.isParked, core.isAwaited, let client else { return }
    let now = core.database.loop.now
    var rewritten = ByteBuffer()
    let hasTimeLeft = core.batch.withCommand(0) { command in
      let elapsed = Duration.nanoseconds(Int64(clamping: now - startedAt))
      return BlockingTimeout(command, core.batch.spec(0))?.rewrite(command, after: elapsed, into: &rewritten) ?? false
    }
    if case .answer(let heldNil) = state.resume(hasTimeLeft: hasTimeLeft) {
      return answer(heldNil, isCancelled: false)
    }
    guard let connection = client.connectionOfItsOwn(to: routing.defaultStore) else {
      state.connectionFailed()
      client.output.appendError(
        "UNBLOCKED MultiStore: the default store has moved, and no connection to the new one is left to wait on"
      )
      return leave { finish() }
    }
    core.database.metrics.blockedMoves.increment()
    let id = core.batch.spec(0).id
    core.batch.removeAll()
    core.batch.append(rewritten.span, id: id)
    if !waitsForKeys(over: connection, routing, for: client) { continueWaiting(over: connection, routing, now: now) }
  }

  /// Leaves the command to a ``KeyArrival`` until its keys are current on the new default store, if it has to wait for
  /// any: the store would serve it an outdated element.
  private func waitsForKeys(
    over connection: HiredisConnection,
    _ routing: Routing,
    for client: any BlockingSink
  ) -> Bool {
    let database = core.database
    guard database.mayAwaitKeys(routing) else { return false }
    let batch = database.makeBatch()
    batch.swapCommands(with: core.batch)
    guard database.waitsForKeys(batch, .blocking(over: connection, for: client), routing, client) else {
      core.batch.swapCommands(with: batch)
      database.recycle(batch)
      return false
    }
    _ = core.takeSink()
    instance.blockedCommands.remove(self)
    return true
  }

  /// Waits on another store, as an execution of its own in this one's place.
  private func continueWaiting(over connection: HiredisConnection, _ routing: Routing, now: UInt64) {
    let successor = BlockedCommand(ExecutionCore(in: core.database, defaultRole: routing.defaultStore))
    successor.state = state
    successor.order = order
    successor.startedAt = now
    successor.connection = connection
    successor.client = client.take()
    successor.core.takeOver(from: core, routing: routing, writesToBoth: false)
    instance.blockedCommands.replace(self, by: successor)
    successor.begin(over: connection)
  }

  private var hasEffect: Bool { core.routing.isDual && core.batch.spec(0).effect != .none }

  /// Whether the command's wait can be ended, and be resumed with the rest of its timeout. The batch of an answered
  /// command is empty.
  private var canBeUnblocked: Bool {
    core.isAwaited && !state.isAnswered && core.batch.withCommand(0) { BlockingTimeout($0, core.batch.spec(0)) } != nil
  }

  private func perform(_ action: BlockedCommandState.EndAction) {
    switch action {
    case .none: return
    case .ask: ask()
    case .answer(let heldNil): answer(heldNil, isCancelled: true)
    }
  }

  private func perform(_ action: BlockedCommandState.UnblockAction) {
    switch action {
    case .none: return
    case .askLater: instance.retryUnblockingLater()
    case .wait(let isCancelled):
      if isCancelled { notifyCancelled() }
      follow(instance.routingState.flip.current)
      instance.advanceRouting()
    case .strand(let isCancelled):
      if isCancelled { notifyCancelled() }
      instance.commandWasStranded()
    case .park: instance.didPark(self)
    case .answer(let heldNil, let isCancelled): answer(heldNil, isCancelled: isCancelled)
    }
  }

  private func notifyCancelled() {
    if core.isAwaited { client?.executionWasCalledOff() }
  }

  /// Sends CLIENT UNBLOCK.
  private func ask() {
    guard let connection, let id = connection.clientID else {
      // A server that does not report the identifier can't be asked; one that is not connected yet may report it soon.
      return unblockAnswered(connection?.isReady == true ? .refused : .notBlocked)
    }
    let command = CommandWriter.command("CLIENT", "UNBLOCK", String(id), "TIMEOUT")
    core.ordinary.send(command.span, to: self, token: Self.unblockToken)
  }

  private func unblockAnswered(_ answer: BlockedCommandState.UnblockAnswer) {
    perform(state.unblockAnswered(answer, isLeaving: isLeaving))
  }

  /// Answers with the nil that was held, or not at all if the wait was cancelled and has no timeout: no server answers
  /// that with nil, and applications don't expect one.
  private func answer(_ heldNil: [UInt8], isCancelled: Bool) {
    if isCancelled { notifyCancelled() }
    if isCancelled, isEndless, core.isAwaited {
      client?.executionHasNoReply()
    } else {
      core.sink?.output.append(heldNil.span)
    }
    leave { finish() }
  }

  /// Whether the command has no timeout.
  private var isEndless: Bool {
    core.batch.withCommand(0) { BlockingTimeout($0, core.batch.spec(0))?.duration(in: $0) } == nil
  }

  /// Removes the command from the blocked ones; a flip that waited for it continues after `body`.
  private func leave(_ body: () -> Void) {
    let instance = instance
    instance.blockedCommands.remove(self)
    body()
    instance.advanceRouting()
  }
}

extension BlockedCommandState.UnblockAnswer {
  /// Interprets a reply to CLIENT UNBLOCK. A server without the command answers with an error without a code.
  fileprivate init(_ reply: borrowing Reply) {
    switch reply.kind {
    case .integer: self = reply.integer == 1 ? .unblocked : .notBlocked
    case .error:
      switch reply.knownErrorCode {
      case .noPermission, .generic: self = .refused
      default: self = .failed
      }
    case .status, .string, .nil, .array: self = .failed
    }
  }
}
