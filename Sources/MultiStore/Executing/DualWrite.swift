internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect. ``EffectCopy`` decides
/// about the copy, this class sends.
///
/// The default store is reached over its ordinary connection, or over another one for a script or a blocking command,
/// which is tried on the ordinary one first; see ``BlockingTrial``. A ``BlockedCommand`` hands its effect over to one
/// of these.
final class DualWrite: Execution {
  private static let defaultToken = 0
  private static let copyToken = 1
  private static let deadlineToken = 2

  private var effect = EffectCopy()
  private var buffers = CopyBuffers()
  /// The connection to the default store; nil for its ordinary one, which is also the one that a trial succeeded on.
  private var connection: HiredisConnection?

  /// Starts like ``Execution/start(_:routing:sink:)``.
  func start(_ batch: consuming CommandBatch, routing: Routing, over connection: HiredisConnection?, sink: ReplySink) {
    reach(over: connection)
    start(batch, routing: routing, sink: sink)
  }

  /// Copies the effect of a command that another execution has sent, and answers it. The default store's `reply` came
  /// over `connection`.
  func takeOver(from execution: Execution, after reply: borrowing Reply, over connection: HiredisConnection) {
    reach(over: connection)
    effect = EffectCopy()
    execution.handOver(to: self, routing: execution.routing)
    defaultStoreReplied(reply)
  }

  override var writesToBoth: Bool { true }

  private func reach(over connection: HiredisConnection?) {
    self.connection = connection === defaultStore.ordinary ? nil : connection
  }

  private var isOnOrdinary: Bool { connection == nil }

  override func begin() {
    effect = EffectCopy()
    if !isOnOrdinary, BlockingTrial.begin(self) { return }
    if let connection { send(over: connection) } else { send(over: defaultStore.ordinary) }
  }

  /// Sends the command, and the question about its deadline if the copy needs that.
  private func send(over connection: HiredisConnection) {
    let spec = batch.spec(0)
    let asksForDeadline =
      routing.isDual && defaultStore.hasExpiryTime
      && batch.withCommand(0) { CopyPlanner.setsRelativeExpiry(spec.effect, $0) }
    guard sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken), asksForDeadline else { return }
    effect.askedForDeadline()
    DeadlineQuestion.send(about: batch, 0, over: connection, to: self, token: Self.deadlineToken)
  }

  override func recycle() {
    buffers.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    connection = nil
    database.pools.dualWrites.recycle(self)
  }

  override func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.defaultToken: defaultStoreReplied(reply)
    case Self.copyToken: perform(otherStoreReplied(reply, to: 0, &effect))
    case Self.deadlineToken: perform(deadlineIsKnown(DeadlineQuestion.answer(reply), of: 0, &effect, &buffers))
    case BlockingTrial.token: trialEnded(reply)
    default: return  // OK and QUEUED; a refusal shows in EXEC's reply
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.defaultToken, BlockingTrial.token:
      answerWithFailure(failure)
      perform(effect.defaultStoreReplied(hasEffect: false))
    case Self.copyToken:
      if effect.failed() == .noteStale { copyFailed(CopyFailure(failure), at: 0) }
      finish()
    case Self.deadlineToken: perform(deadlineIsKnown(nil, of: 0, &effect, &buffers))
    default: return  // EXEC fails as well
    }
  }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if isAwaited { reply.encode(into: &heldReply) }
    let isOnOrdinary = isOnOrdinary
    perform(
      defaultStoreReplied(reply, to: 0, isOnOrdinary: isOnOrdinary, isOrdered: isOnOrdinary, &effect, &buffers)
    )
  }

  private func trialEnded(_ reply: borrowing Reply) {
    if BlockingTrial.hasServed(reply) {
      connection = nil
      defaultStoreReplied(reply[0])
    } else if let connection {
      sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken)
    }
  }

  private func perform(_ action: EffectCopy.Action) {
    if action == .wait { return }
    // The client is answered first, so that its reply is written before the copy.
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
      batch.withCommand(0) {
        connection.send($0, of: batch.owner(0), to: self, token: Self.copyToken, isUrgent: isUrgent)
      }
    }
  }
}
