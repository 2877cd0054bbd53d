internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect. ``EffectCopy`` decides
/// about the copy, this class sends.
///
/// The default store is reached over its ordinary connection, or over another one for a script. A ``BlockedCommand``
/// hands its effect over to one of these.
final class DualWrite: PooledExecution, ReplyReceiver {
  private static let defaultToken = 0
  private static let copyToken = 1
  private static let deadlineToken = 2

  private let core: ExecutionCore
  private var effect = EffectCopy()
  private var buffers = CopyBuffers()
  /// The client's reply, while it has to wait for the other store: the contents of the sink's output may be sent at any
  /// time.
  private var heldReply = ByteBuffer()
  /// The default store's reply to a command that moves an element, to be compared; empty for others.
  private var movedReply = ByteBuffer()

  var defaultRole: StoreRole { core.defaultRole }

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
    let connection = connection ?? core.ordinary
    core.reach(over: connection)
    core.begin(batch, routing: routing, writesToBoth: true, sink: sink)
    effect = EffectCopy()
    send(over: connection)
  }

  /// Copies the effect of a command that another execution has sent, and answers it. The default store's `reply` came
  /// over `connection`.
  func takeOver(from execution: ExecutionCore, after reply: borrowing Reply, over connection: HiredisConnection) {
    core.reach(over: connection)
    effect = EffectCopy()
    core.takeOver(from: execution, routing: execution.routing, writesToBoth: true)
    defaultStoreReplied(reply)
  }

  /// Sends the command, and the question about its deadline if the copy needs that.
  private func send(over connection: HiredisConnection) {
    let spec = core.batch.spec(0)
    let asksForDeadline =
      core.routing.isDual && core.defaultStore.server.hasExpiryTime
      && core.batch.withCommand(0) { CopyPlanner.setsRelativeExpiry(spec.effect, $0) }
    // The position of a script on its own connection among the commands of others is not known.
    if spec.commandClass == .script, !core.isOnOrdinary { core.announceKeys(of: 0) }
    guard core.sendOrRefuse(to: core.defaultStore, over: connection, token: Self.defaultToken, for: self),
      asksForDeadline
    else { return }
    effect.askedForDeadline()
    DeadlineQuestion.send(about: core.batch, 0, over: connection, to: self, token: Self.deadlineToken)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch token {
    case Self.defaultToken: defaultStoreReplied(reply)
    case Self.copyToken: otherStoreReplied(reply)
    case Self.deadlineToken: perform(core.deadlineIsKnown(DeadlineQuestion.answer(reply), of: 0, &effect, &buffers))
    default: preconditionFailure("a write gets a reply with the token \(token)")
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    switch token {
    case Self.defaultToken:
      core.answerWithDefaultStoreFailure(failure)
      perform(effect.defaultStoreReplied(hasEffect: false))
    case Self.copyToken:
      if effect.failed() == .noteStale { core.copyFailed(CopyFailure(failure), at: 0) }
      finish()
    case Self.deadlineToken: perform(core.deadlineIsKnown(.unknown, of: 0, &effect, &buffers))
    default: preconditionFailure("a write fails with the token \(token)")
    }
  }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if core.isAwaited { reply.encode(into: &heldReply) }
    if core.batch.spec(0).traits.contains(.moves) { reply.encode(into: &movedReply) }
    let isOnOrdinary = core.isOnOrdinary
    perform(
      core.defaultStoreReplied(reply, to: 0, isOnOrdinary: isOnOrdinary, isOrdered: isOnOrdinary, &effect, &buffers)
    )
  }

  private func otherStoreReplied(_ reply: borrowing Reply) {
    guard !movedReply.isEmpty else { return perform(core.otherStoreReplied(reply, to: 0, &effect)) }
    let reply = copy reply
    let answer = movedReply.withSpan { PresenceGuard.answer(reply, to: effect.form, moved: $0) }
    perform(core.otherStoreReplied(reply, to: 0, &effect, as: answer))
  }

  private func perform(_ action: EffectCopy.Action) {
    if action == .wait { return }
    core.leaveDefaultStore()
    // The client is answered first, so that its reply is written before the copy.
    if core.database.configuration.writeAcknowledgement == .defaultStore { answer() }
    switch action {
    case .send: sendCopy()
    case .copyKeys(let selection):
      core.copyKeys(selection, of: 0, isOnOrdinary: core.isOnOrdinary, for: self)
      core.withdrawKeys()
      if !core.isCopyingKeys { finish() }
    default: finish()
    }
  }

  private func answer() {
    guard let sink = core.takeSink() else { return }
    if !heldReply.isEmpty { passOnHeldReply(to: sink) }
    sink.executionDidFinish()
  }

  private func passOnHeldReply(to sink: any ReplySink) {
    if sink.output.isEmpty {
      swap(&sink.output, &heldReply)
    } else {
      heldReply.withSpan { sink.output.append($0) }
    }
    heldReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
  }

  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  private func finish() {
    answer()
    core.end()
    buffers.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    if !movedReply.isEmpty { movedReply.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity) }
    core.database.pools.dualWrites.recycle(self)
  }

  private func sendCopy() {
    guard let form = effect.form else { return }
    let (connection, isUrgent) = (core.otherOrdinary, core.isAwaited)
    effect.wasSent()
    if case .guarded(let range, _) = form {
      buffers.guarded.withSpan {
        connection.send($0.extracting(range), to: self, token: Self.copyToken, isUrgent: isUrgent)
      }
    } else {
      core.batch.withCommand(0) {
        connection.send($0, of: core.batch.owner(0), to: self, token: Self.copyToken, isUrgent: isUrgent)
      }
    }
  }
}

extension DualWrite: KeyCopyWaiter {
  func keyCopyDidFinish(_ copy: KeyCopy) {
    core.keyCopyEnded()
    if !core.isCopyingKeys { finish() }
  }
}
