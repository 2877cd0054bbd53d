internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Waiting on, on the store that has become the default.
extension BlockedCommand {
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
}
