internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect. ``EffectCopy`` decides
/// about the copy, this class sends.
///
/// The default store is reached over its ordinary connection, or over another one for a script or a blocking command.
/// A blocking command is tried on the ordinary connection first, between MULTI and EXEC, where it does not block: an
/// element that it finds there is taken in the order of all other writes. If there is none, the command waits on a
/// connection of its own.
class DualWrite: Execution {
  static let defaultToken = 0
  private static let copyToken = 1
  private static let deadlineToken = 2
  private static let openToken = 3
  private static let trialToken = 4

  private var effect = EffectCopy()
  private var buffers = CopyBuffers()
  private(set) final var connection: HiredisConnection?
  /// Whether a blocking command was served on the ordinary connection.
  private var trialSucceeded = false

  /// Starts like ``Execution/start(_:routing:sink:)``.
  func start(_ batch: CommandBatch, routing: Routing, over connection: HiredisConnection, sink: ReplySink) {
    self.connection = connection
    start(batch, routing: routing, sink: sink)
  }

  /// Restarts with the stores that `routing` names.
  final func reroute(_ routing: Routing, over connection: HiredisConnection) {
    self.connection = connection
    reroute(routing)
    begin()
  }

  override var writesToBoth: Bool { true }

  private var isOnOrdinary: Bool { connection === defaultStore.ordinary || trialSucceeded }

  override func begin() {
    guard let connection else { return }
    trialSucceeded = false
    effect = EffectCopy()
    let isTried = routing.isDual && spec(0).effect != .none && spec(0).traits.mayBlock
    if isTried, connection !== defaultStore.ordinary, tryWithoutBlocking() { return trialBegan() }
    let asksForDeadline =
      routing.isDual && defaultStore.hasExpiryTime
      && withCommand { CopyPlanner.setsRelativeExpiry(spec(0).effect, $0) }
    guard sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken), asksForDeadline else { return }
    effect.askedForDeadline()
    DeadlineQuestion.send(about: batch, 0, over: connection, to: self, token: Self.deadlineToken)
  }

  override func recycle() {
    buffers.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    connection = nil
    database.pools.recycle(self)
  }

  override func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.defaultToken: defaultStoreReplied(reply)
    case Self.copyToken: perform(otherStoreReplied(reply, to: 0, in: batch, &effect))
    case Self.deadlineToken: perform(deadlineIsKnown(DeadlineQuestion.answer(reply), of: 0, &effect, &buffers))
    case Self.trialToken: triedWithoutBlocking(reply)
    default: return  // OK and QUEUED; a refusal shows in EXEC's reply
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.defaultToken, Self.trialToken:
      answerWithFailure(failure)
      perform(effect.defaultStoreReplied(hasEffect: false))
    case Self.copyToken:
      if effect.failed() == .noteStale { copyFailed(CopyFailure(failure), at: 0, in: batch) }
      finish()
    case Self.deadlineToken: perform(deadlineIsKnown(nil, of: 0, &effect, &buffers))
    default: return  // EXEC fails as well
    }
  }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if let sink { reply.encode(into: &sink.output) }
    let isOnOrdinary = isOnOrdinary
    perform(
      defaultStoreReplied(
        reply,
        to: 0,
        in: batch,
        isOnOrdinary: isOnOrdinary,
        isOrdered: isOnOrdinary,
        &effect,
        &buffers
      )
    )
  }

  /// Sends a blocking command between MULTI and EXEC over the ordinary connection.
  ///
  /// - Returns: false if that has no room.
  private func tryWithoutBlocking() -> Bool {
    let ordinary = defaultStore.ordinary
    guard ordinary.isReady, ordinary.hasRoom(commands: 3, bytes: batch.byteCount + 64) else { return false }
    let (multi, exec) = (PipelineExecution.multi, PipelineExecution.exec)
    ordinary.send(multi.span, to: self, token: Self.openToken)
    withCommand { ordinary.send($0, to: self, token: Self.openToken) }
    ordinary.send(exec.span, to: self, token: Self.trialToken)
    return true
  }

  private func triedWithoutBlocking(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count == 1, reply[0].kind != .nil else {
      if let connection { sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken) }
      return trialEnded()
    }
    trialSucceeded = true
    defaultStoreReplied(reply[0])
  }

  /// A blocking command is being tried on the ordinary connection. To be overridden.
  func trialBegan() {}

  /// The trial found nothing, and the command waits from now on. To be overridden.
  func trialEnded() {}

  private func perform(_ action: EffectCopy.Action) {
    if action == .wait { return }
    // The client first: its answer is written before the copy then.
    if database.configuration.writeAcknowledgement == .defaultStore { answer() }
    switch action {
    case .send: sendCopy()
    case .copyKeys(let selection):
      copyKeys(selection, of: 0, isOnOrdinary: isOnOrdinary)
      if keyCopiesLeft == 0 { finish() }
    default: finish()
    }
  }

  private func sendCopy() {
    guard let form = effect.form else { return }
    let (connection, isUrgent) = (other.ordinary, isAwaited)
    effect.wasSent()
    if case .guarded(let range, _) = form {
      buffers.guarded.withSpan {
        connection.send($0.extracting(range), to: self, token: Self.copyToken, isUrgent: isUrgent)
      }
    } else {
      let batch = batch
      batch.withCommand(0) {
        connection.send($0, of: batch.owner(0), to: self, token: Self.copyToken, isUrgent: isUrgent)
      }
    }
  }
}
