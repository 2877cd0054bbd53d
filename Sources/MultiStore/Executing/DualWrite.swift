internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect. ``EffectCopy`` decides
/// about the copy, this class sends.
///
/// The default store is reached over its ordinary connection, or over another one for a script or a blocking command,
/// which is tried on the ordinary one first; see ``BlockingTrial``. A ``BlockedCommand`` hands its effect over to one
/// of these.
final class DualWrite: PooledExecution, ReplyReceiver {
  private static let defaultToken = 0
  private static let copyToken = 1
  private static let deadlineToken = 2

  let core: ExecutionCore
  private var effect = EffectCopy()
  private var buffers = CopyBuffers()
  /// The connection to the default store; nil for its ordinary one, which is also the one that a trial succeeded on.
  private var connection: HiredisConnection?
  /// The client's reply, while it has to wait for the other store: the contents of the sink's output may be sent at any
  /// time.
  private var heldReply = ByteBuffer()

  init(_ core: ExecutionCore) {
    self.core = core
  }

  /// Executes the command of `batch` over `connection`, or over the default store's ordinary one.
  func start(
    _ batch: consuming CommandBatch,
    routing: Routing,
    over connection: HiredisConnection?,
    sink: any ReplySink
  ) {
    reach(over: connection)
    core.begin(batch, routing: routing, writesToBoth: true, sink: sink)
    effect = EffectCopy()
    if !isOnOrdinary, BlockingTrial.begin(self) { return }
    if let connection = self.connection { send(over: connection) } else { send(over: defaultStore.ordinary) }
  }

  /// Copies the effect of a command that another execution has sent, and answers it. The default store's `reply` came
  /// over `connection`.
  func takeOver(from execution: ExecutionCore, after reply: borrowing Reply, over connection: HiredisConnection) {
    reach(over: connection)
    effect = EffectCopy()
    core.takeOver(from: execution, routing: execution.routing, writesToBoth: true)
    defaultStoreReplied(reply)
  }

  private func reach(over connection: HiredisConnection?) {
    self.connection = connection === defaultStore.ordinary ? nil : connection
  }

  private var isOnOrdinary: Bool { connection == nil }

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

  func recycle() {
    buffers.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    connection = nil
    database.pools.dualWrites.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.defaultToken: defaultStoreReplied(reply)
    case Self.copyToken: perform(core.otherStoreReplied(reply, to: 0, &effect))
    case Self.deadlineToken: perform(core.deadlineIsKnown(DeadlineQuestion.answer(reply), of: 0, &effect, &buffers))
    case BlockingTrial.token: trialEnded(reply)
    default: return  // OK and QUEUED; a refusal shows in EXEC's reply
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.defaultToken, BlockingTrial.token:
      core.answerWithDefaultStoreFailure(failure)
      perform(effect.defaultStoreReplied(hasEffect: false))
    case Self.copyToken:
      if effect.failed() == .noteStale { core.copyFailed(CopyFailure(failure), at: 0) }
      complete()
    case Self.deadlineToken: perform(core.deadlineIsKnown(nil, of: 0, &effect, &buffers))
    default: return  // EXEC fails as well
    }
  }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if core.isAwaited { reply.encode(into: &heldReply) }
    let isOnOrdinary = isOnOrdinary
    perform(
      core.defaultStoreReplied(reply, to: 0, isOnOrdinary: isOnOrdinary, isOrdered: isOnOrdinary, &effect, &buffers)
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
      core.copyKeys(selection, of: 0, isOnOrdinary: isOnOrdinary, for: self)
      if !core.isCopyingKeys { complete() }
    default: complete()
    }
  }

  private func answer() {
    if !heldReply.isEmpty, let sink { passOnHeldReply(to: sink) }
    core.answer()
  }

  private func passOnHeldReply(to sink: any ReplySink) {
    if sink.output.isEmpty {
      swap(&sink.output, &heldReply)
    } else {
      heldReply.withSpan { sink.output.append($0) }
    }
    heldReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
  }

  private func complete() {
    answer()
    finish()
  }

  private func sendCopy() {
    guard let form = effect.form else { return }
    let (connection, isUrgent) = (other.ordinary, core.isAwaited)
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

extension DualWrite: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    core.keyCopyEnded()
    if !core.isCopyingKeys { complete() }
  }
}
