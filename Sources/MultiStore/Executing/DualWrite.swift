internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect.
///
/// The default store is reached over its ordinary connection, or over one that a script or a blocking command has to
/// itself. A blocking command is tried on the ordinary connection first, between MULTI and EXEC, where it does not
/// block: what it finds there it takes in the order of all other writes. Only when there is nothing does it wait on its
/// own.
class DualWrite: Execution {
  static let defaultToken = 0
  private static let copyToken = 1
  private static let guardedCopyToken = 2
  private static let deadlineToken = 3
  private static let openToken = 4
  private static let trialToken = 5

  /// How far the default store's side is, when it was asked for the key's deadline besides.
  private enum Deadline {
    /// Nobody asked.
    case unasked
    /// Neither the command nor the question was answered.
    case asked
    /// The command was answered; what it did is copied when the deadline is known.
    case awaited
    /// The command had no effect, or failed: the deadline does not matter.
    case unneeded
  }

  /// What the other store executes, when it isn't the client's own bytes.
  private var scratch = ByteBuffer()
  private var guarded = ByteBuffer()
  private var keyCopiesLeft = 0
  private(set) final var connection: HiredisConnection?
  private var deadline = Deadline.unasked
  /// A blocking command did not have to wait.
  private var trialSucceeded = false

  /// Begins like ``Execution/start(_:routing:sink:)``.
  func start(_ batch: CommandBatch, routing: Routing, over connection: HiredisConnection, sink: ReplySink) {
    self.connection = connection
    start(batch, routing: routing, sink: sink)
  }

  /// Begins anew with other stores in other roles.
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
    let isTried = routing.isDual && spec(0).effect != .none && spec(0).traits.mayBlock
    if isTried, connection !== defaultStore.ordinary, tryWithoutBlocking() { return trialBegan() }
    let asksForDeadline =
      routing.isDual && defaultStore.hasExpiryTime
      && withCommand { CopyPlanner.setsRelativeExpiry(spec(0).effect, $0) }
    deadline = .unasked
    guard sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken), asksForDeadline else { return }
    deadline = .asked
    DeadlineQuestion.send(about: batch, 0, over: connection, to: self, token: Self.deadlineToken)
  }

  override func recycle() {
    scratch.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    guarded.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    connection = nil
    multiStore.recycle(self)
  }

  override func receive(_ reply: borrowing Reply, token: Int) {
    if token == Self.defaultToken {
      defaultStoreReplied(reply)
    } else if token == Self.trialToken {
      triedWithoutBlocking(reply)
    } else if token == Self.openToken {
      return  // OK and QUEUED; a refusal shows in EXEC's reply
    } else if token == Self.deadlineToken {
      deadlineIsKnown(DeadlineQuestion.answer(reply))
    } else if token == Self.guardedCopyToken, PresenceGuard.wasSkipped(reply) {
      if reply.kind == .error { other.loadPresenceGuard() }
      copyKeys(.all)
    } else if token == Self.guardedCopyToken, PresenceGuard.leftFragment(reply) {
      copyKeys(.last)
    } else {
      if reply.kind == .error {
        multiStore.copyFailed(batch, 0, on: other.role, CopyFailure(reply))
      } else {
        withCommand { other.clearStale($0, spec(0), begunAt: begunAt) }
      }
      finish()
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.openToken { return }  // EXEC fails as well
    if token == Self.defaultToken || token == Self.trialToken {
      sink?.output.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: 0, on: routing.defaultStore)
      // It may have been executed, and then the other store lacks it.
      if failure.mayHaveBeenExecuted { multiStore.markUnknown(batch, 0, on: other.role) }
      finishDefaultStore()
    } else if token == Self.deadlineToken {
      deadlineIsKnown(nil)
    } else {
      multiStore.copyFailed(batch, 0, on: other.role, CopyFailure(failure))
      finish()
    }
  }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if let sink { reply.encode(into: &sink.output) }
    let spec = spec(0)
    guard reply.kind != .error || (routing.isDual && spec.mayHaveWritten(despite: reply)) else {
      return finishDefaultStore()
    }
    if !isOnOrdinary, let rechecks = multiStore.rechecks {
      withCommand { rechecks.noteChange(ofKeysIn: $0, spec) }
    }
    let reply = copy reply
    if deadline == .asked {
      guard withCommand(0, { CopyPlanner.tookEffect(spec.effect, $0, after: reply) }) else {
        return finishDefaultStore()
      }
      deadline = .awaited
      return
    }
    let planner = multiStore.copyPlanner(for: other)
    if spec.traits.mayBlock, !isOnOrdinary { return execute(planner.planUnordered(spec.effect, after: reply)) }
    execute(withCommand { planner.plan(spec.effect, $0, after: reply, into: &scratch) })
  }

  /// - Returns: false if there is no room for it, so that it has to wait on its own connection.
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

  /// A blocking command is being tried without blocking. To be overridden.
  func trialBegan() {}

  /// There was nothing for it, and it waits from now on. To be overridden.
  func trialEnded() {}

  /// Nothing is to be copied; only the answer about the deadline may still have to come.
  private func finishDefaultStore() {
    if deadline == .asked { deadline = .unneeded } else { finish() }
  }

  private func deadlineIsKnown(_ milliseconds: Int?) {
    guard deadline == .awaited else { return finish() }
    var planner = multiStore.copyPlanner(for: other)
    planner.knownDeadline = milliseconds
    execute(withCommand { planner.expiring(spec(0).effect, $0, into: &scratch) })
  }

  private func execute(_ plan: CopyPlan) {
    let spec = spec(0)
    if plan != .noEffect { withCommand { defaultStore.clearStale($0, spec, begunAt: begunAt) } }
    // The client first: its answer is written before the copy then.
    if multiStore.configuration.writeAcknowledgement == .defaultStore { answer() }
    switch plan {
    case .verbatim:
      withCommand { sendCopy($0, of: batch.owner(0), spec) }
    case .rewritten:
      scratch.withSpan { sendCopy($0, spec) }
    case .keys(let selection):
      copyKeys(selection)
    case .noEffect:
      return finish()
    case .notRepeatable:
      multiStore.leftUncopied(batch, 0, on: other.role)
      return finish()
    }
  }

  /// A write that changes part of a key goes out under guard; where the key is stale it is of no use at all.
  private func sendCopy(_ copy: Span<UInt8>, of owner: SharedBytes? = nil, _ spec: CommandSpec) {
    guard CopyPlanner.changesPart(copy, spec) else {
      return other.ordinary.send(copy, of: owner, to: self, token: Self.copyToken, isUrgent: isAwaited)
    }
    guarded.removeAll()
    guard !other.isStale(copy, spec), PresenceGuard.wrap(copy, into: &guarded) else { return copyKeys(.all) }
    guarded.withSpan { other.ordinary.send($0, to: self, token: Self.guardedCopyToken, isUrgent: isAwaited) }
  }

  private func copyKeys(_ selection: KeySelection) {
    let spec = spec(0)
    keyCopiesLeft = withCommand {
      multiStore.copyKeys(
        of: $0,
        spec,
        selection,
        from: routing.defaultStore,
        isOnOrdinary: isOnOrdinary,
        for: self
      )
    }
    if keyCopiesLeft == 0 { finish() }
  }
}

extension DualWrite: KeyCopyWaiter {
  func keyCopyDidFinish() {
    keyCopiesLeft -= 1
    if keyCopiesLeft == 0 { finish() }
  }
}
