internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A command that waits on a connection of the client's own until there is something for it: BLPOP and its like.
///
/// When the default store moves, it is called off (CLIENT UNBLOCK over the store's ordinary connection) and sent anew
/// to the new default store, with what is left of its time. Whether the nil that it then gets is its timeout or the
/// sidecar's doing is for the reply to CLIENT UNBLOCK to say; an element that came first is the client's.
final class BlockedCommand: DualWrite {
  private static let unblockToken = 16

  private enum Stage {
    /// Nothing but its store keeps it waiting.
    case waiting
    /// It is being called off.
    case unblocking
    /// It waits for a new default store.
    case parked
    /// It is answered.
    case done
  }

  /// Its client is not to wait any longer, whatever the stores do.
  private(set) var isCalledOff = false
  /// Its place among those that wait.
  private(set) var order = 0
  private var stage = Stage.waiting
  private var startedAt: UInt64 = 0
  /// A nil whose cause is not known yet, or that the sidecar brought about.
  private var heldReply = ByteBuffer()
  /// What the store said to CLIENT UNBLOCK: whether the command was called off; nil until then.
  private var wasUnblocked: Bool?
  /// CLIENT UNBLOCK is not answered yet.
  private var isAsking = false
  /// An effect is on its way, for which changes of the flags wait.
  private var isCounted = false

  /// The part of the instance that knows all that is blocked, whatever the database.
  private var instance: MultiStore { multiStore.root }

  /// Begins like ``DualWrite/start(_:routing:over:sink:)``.
  func start(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    sink: ReplySink,
    order: Int
  ) {
    self.order = order
    startedAt = multiStore.loop.now
    instance.blockedCommands.insert(self)
    start(batch, routing: routing, over: connection, sink: sink)
  }

  /// True while it is worth waiting for this one before the default moves.
  var isUnblocking: Bool { stage == .unblocking }

  /// True when it has to be sent anew.
  var isParked: Bool { stage == .parked }

  /// The store that it waits on.
  var role: StoreRole { routing.defaultStore }

  /// Ends the waiting for good.
  func callOff() {
    guard !isCalledOff else { return }
    isCalledOff = true
    if stage == .parked { answerHeld() } else { unblock() }
  }

  /// Ends the waiting on this store, if that is possible.
  func unblock() {
    guard stage == .waiting, withCommand(0, { BlockingTimeout($0, spec(0)) }) != nil else { return }
    stage = .unblocking
    askToUnblock()
  }

  /// Other flags are in force: what it waits for on the same store is copied, or not, as they say.
  func follow(_ routing: Routing) {
    if stage == .waiting, routing.defaultStore == role { reroute(routing) }
  }

  /// Asks once more: the command may not have been there yet.
  func askToUnblock() {
    guard stage == .unblocking, !isAsking, wasUnblocked != true, let connection else { return }
    guard let id = connection.clientID else {
      // A server that does not tell the number can't be asked; one that is not there yet can be, soon.
      return unblockAnswered(connection.isReady ? nil : false)
    }
    isAsking = true
    // What it said before was about another time.
    wasUnblocked = nil
    var command = ByteBuffer()
    command.appendArrayHeader(4)
    for argument in ["CLIENT", "UNBLOCK", String(id), "TIMEOUT"] { command.appendBulk(argument) }
    defaultStore.ordinary.send(command.span, to: self, token: Self.unblockToken)
  }

  /// The change of the flags is over, and nobody asks any more.
  func stopUnblocking() {
    if stage == .unblocking, !isAsking, wasUnblocked == false, !isCalledOff { stage = .waiting }
  }

  /// It may wait for ever, and no change of the flags with it; it counts itself when there is something to copy.
  override var writesToBoth: Bool { false }

  override func receive(_ reply: borrowing Reply, token: Int) {
    if token == Self.unblockToken {
      unblockAnswered(reply.kind == .integer ? reply.integer == 1 : nil)
    } else if token != Self.defaultToken {
      super.receive(reply, token: token)
    } else if stage == .unblocking, reply.kind == .nil {
      heldReply.removeAll()
      reply.encode(into: &heldReply)
      judgeNil()
    } else {
      // Before whoever waits for this one goes on, what it did is on its way.
      if hasEffect {
        count()
        leave { super.receive(reply, token: token) }
      } else {
        if let sink { reply.encode(into: &sink.output) }
        leave { finish() }
      }
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.unblockToken { return unblockFailed() }
    guard token == Self.defaultToken else { return super.receive(failure: failure, token: token) }
    if hasEffect { return leave { super.receive(failure: failure, token: token) } }
    sink?.output.appendError(failure.clientError(store: routing.defaultStore))
    sink?.executionDidFail(failure, at: 0, on: routing.defaultStore)
    leave { finish() }
  }

  private var hasEffect: Bool { routing.isDual && spec(0).effect != .none }

  override func recycle() {
    if stage != .done { leave {} }
    uncount()
  }

  override func trialBegan() { count() }

  override func trialEnded() { uncount() }

  /// Changes of the flags wait from now on.
  private func count() {
    isCounted = true
    multiStore.dualExecutionBegan()
  }

  private func uncount() {
    guard isCounted else { return }
    isCounted = false
    multiStore.dualExecutionEnded()
  }

  /// Sends it to the store that is the default now.
  func resume(_ routing: Routing) {
    guard stage == .parked, let sink else { return }
    let now = multiStore.loop.now
    var rewritten = ByteBuffer()
    let hasTimeLeft = withCommand { command in
      let elapsed = Duration.nanoseconds(Int64(clamping: now - startedAt))
      return BlockingTimeout(command, spec(0))?.rewrite(command, after: elapsed, into: &rewritten) ?? false
    }
    guard hasTimeLeft else { return answerHeld() }
    guard let connection = sink.connectionOfItsOwn(to: routing.defaultStore) else {
      sink.output.appendError(
        "UNBLOCKED MultiStore: the default store has moved, and no connection to the new one is left to wait on"
      )
      return leave { finish() }
    }
    multiStore.metrics.blockedMoves.increment()
    let id = batch.spec(0).id
    batch.removeAll()
    batch.append(rewritten.span, id: id)
    stage = .waiting
    wasUnblocked = nil
    startedAt = now
    heldReply.removeAll()
    reroute(routing, over: connection)
  }

  /// - Parameter answer: nil when the store did not say, so that the command stays where it is.
  private func unblockAnswered(_ answer: Bool?) {
    isAsking = false
    guard stage == .unblocking else { return }
    wasUnblocked = answer ?? false
    if !heldReply.isEmpty || answer == true {
      judgeNil()
    } else if answer == nil {
      stage = .waiting
      if isCalledOff { sink?.executionWasCalledOff() }
      instance.advanceRouting()
    } else {
      instance.askToUnblockLater()
    }
  }

  /// The store could not be asked. If the default has moved away from it, the command would wait for as long as that
  /// store hangs, on elements that nobody adds there any more: its connection is closed, and the client gets an error.
  private func unblockFailed() {
    unblockAnswered(nil)
    if stage == .waiting, instance.defaultStore.role != role { connection?.expire(after: .zero) }
  }

  /// Goes on when both replies are there.
  private func judgeNil() {
    guard !heldReply.isEmpty, let wasUnblocked else { return }
    guard wasUnblocked else { return answerHeld() }
    if isCalledOff {
      sink?.executionWasCalledOff()
      return answerHeld()
    }
    stage = .parked
    instance.didPark(self)
  }

  /// Its time is over.
  private func answerHeld() {
    if let sink { heldReply.withSpan { sink.output.append($0) } }
    leave { finish() }
  }

  /// It is called off no more. Whoever may have waited for that hears of it after `body`.
  private func leave(_ body: () -> Void) {
    let wasUnblocking = stage == .unblocking
    let instance = instance
    stage = .done
    instance.blockedCommands.remove(self)
    body()
    if wasUnblocking { instance.advanceRouting() }
  }
}
