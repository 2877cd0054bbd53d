internal import Hiredis
internal import RESP

/// One write: the default store executes it and answers, then the other store gets its effect.
///
/// The default store is reached over its ordinary connection, or over one that a script or a blocking command has to
/// itself.
final class DualWrite: Execution {
  private static let defaultToken = 0
  private static let copyToken = 1
  private static let guardedCopyToken = 2

  /// What the other store executes, when it isn't the client's own bytes.
  private var scratch = ByteBuffer()
  private var guarded = ByteBuffer()
  private var keyCopiesLeft = 0
  private var connection: HiredisConnection?

  /// Begins like ``Execution/start(_:routing:sink:)``.
  func start(_ batch: CommandBatch, routing: Routing, over connection: HiredisConnection, sink: ReplySink) {
    self.connection = connection
    start(batch, routing: routing, sink: sink)
  }

  /// What waits on a connection of its own may wait for ever, and no change of the flags with it.
  override var writesToBoth: Bool { isOnOrdinary }

  private var isOnOrdinary: Bool { connection === defaultStore.ordinary }

  override func begin() {
    guard let connection else { return }
    sendOrRefuse(to: defaultStore, over: connection, token: Self.defaultToken)
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
    } else if token == Self.guardedCopyToken, PresenceGuard.wasSkipped(reply) {
      if reply.kind == .error { other.loadPresenceGuard() }
      copyKeys(.all)
    } else {
      if reply.kind == .error {
        multiStore.copyFailed(batch, 0, on: other.role, CopyFailure(reply))
      } else {
        withCommand { other.clearStale($0, spec(0)) }
      }
      finish()
    }
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    if token == Self.defaultToken {
      sink?.output.appendError(failure.clientError(store: routing.defaultStore))
      sink?.executionDidFail(failure, at: 0, on: routing.defaultStore)
      // It may have been executed, and then the other store lacks it.
      if failure.mayHaveBeenExecuted { multiStore.markUnknown(batch, 0, on: other.role) }
    } else {
      multiStore.copyFailed(batch, 0, on: other.role, CopyFailure(failure))
    }
    finish()
  }

  private var other: Store { multiStore.store(routing.defaultStore.other) }

  private func defaultStoreReplied(_ reply: borrowing Reply) {
    if let sink { reply.encode(into: &sink.output) }
    guard reply.kind != .error else { return finish() }
    let spec = spec(0)
    let planner = multiStore.copyPlanner(for: other)
    let reply = copy reply
    let plan = withCommand { planner.plan(spec.effect, $0, after: reply, into: &scratch) }
    if plan != .noEffect { withCommand { defaultStore.clearStale($0, spec) } }
    switch plan {
    case .verbatim:
      withCommand { sendCopy($0, spec) }
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
    if multiStore.configuration.writeAcknowledgement == .defaultStore { answer() }
  }

  /// A write that changes part of a key goes out under guard; where the key is stale it is of no use at all.
  private func sendCopy(_ copy: Span<UInt8>, _ spec: CommandSpec) {
    guard spec.traits.contains(.changesPart) else {
      return other.ordinary.send(copy, to: self, token: Self.copyToken)
    }
    guarded.removeAll()
    guard !other.isStale(copy, spec), PresenceGuard.wrap(copy, into: &guarded) else { return copyKeys(.all) }
    guarded.withSpan { other.ordinary.send($0, to: self, token: Self.guardedCopyToken) }
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
