internal import Hiredis
internal import MultiStore
internal import RESP

/// WATCH: optimistic locking on the default store.
///
/// While keys are watched, the client reads from the default store alone, over the connection that watches: another
/// store's reply may be older than what is watched. Writes go the way of all writes, and one to a watched key makes
/// EXEC answer nil, as on a server.
extension Session {
  /// Marks a WATCH among the commands in flight. ``DeepReplies`` has no identity that is even.
  private static let watchToken = 2

  /// The connection that watches keys for the client and executes its reads; nil if it watches none.
  @inline(__always)
  var watchingConnection: HiredisConnection? { watch.isOpen ? dedicated?.connection : nil }

  func takeWatch(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) {
    guard let connection = dedicatedConnection(to: routing.defaultStore) else {
      return output.appendError(Self.noDedicatedConnection)
    }
    // Sent before the connection is ready, it is executed in the next epoch.
    watch.begin(epoch: connection.epoch + (connection.isReady ? 0 : 1)) { instance.beginWatch() }
    if database.mayAwaitKeys(routing), database.awaitsKeys(bytes, spec, routing: routing) {
      execute(batch(of: bytes, spec), as: .single, routing: routing, over: connection)
    } else {
      forward(bytes, over: connection, identity: Self.watchToken)
    }
  }

  /// Whether a WATCH has failed because its connection can't be made while a script hangs on the store. A server would
  /// execute it, so it is answered with OK; since nothing is watched, EXEC is answered with nil.
  func isWatchOfBusyStore(_ failure: ConnectionFailure, token: Int) -> Bool {
    guard token == Self.watchToken, case .busy = failure else { return false }
    if let lost = watch.lose(.connectionLost) { instance.endWatch(lost) }
    return true
  }

  /// Notices that a WATCH that waited for its keys has failed. One that was not executed has no effect; the connection
  /// is checked before the next command.
  func watchFailed(_ failure: ConnectionFailure) {
    guard case .notConnected = failure else {
      return checkWatch(after: failure, isLastWatch: true)
    }
    if let ended = watch.refused() { instance.endWatch(ended) }
  }

  /// Notices that the connection was lost, or that the default store has moved, before commands are taken.
  func checkWatch() {
    guard let open = watch.open, let connection = dedicated?.connection else { return }
    let lost = watch.check(
      epoch: connection.epoch,
      isReady: connection.isReady,
      isOnDefaultStore: instance.isOpen(open)
    )
    if let lost { instance.endWatch(lost) }
  }

  /// Notices that the connection has failed, from the failure of a command that was sent over it: the last WATCH, or
  /// another one.
  func checkWatch(after failure: ConnectionFailure, isLastWatch: Bool) {
    if case .queueFull = failure { return }
    guard watch.isOpen, let connection = dedicated?.connection, path === connection else { return }
    if let lost = watch.connectionFailed(epoch: connection.epoch, isLastWatch: isLastWatch) { instance.endWatch(lost) }
  }

  /// Records that the watching connection was closed from this side: a command that waits there moves with the default
  /// store, or the client is gone.
  func watchingConnectionDidClose() {
    guard let open = watch.open else { return }
    let lost = watch.lose(instance.isOpen(open) ? .connectionLost : .defaultMoved)
    if let lost { instance.endWatch(lost) }
  }

  /// Ends the watch of a client that is about to block or to subscribe while the default store is to move: neither can
  /// begin on the present one any more, and the client waits for the flip like all others.
  func giveUpWatchForMove() {
    guard let lost = watch.lose(.defaultMoved) else { return }
    instance.endWatch(lost)
    finishTurn()
  }

  /// Forgets the watched keys. The server does so when the connection closes, in any state.
  func releaseWatch() {
    let ended = watch.end()
    guard ended != .idle else { return }
    releaseDedicated()
    if case .watching(let watch, _, _) = ended { instance.endWatch(watch) }
  }
}
