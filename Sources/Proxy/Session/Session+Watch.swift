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

  func takeWatch(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) {
    guard let connection = own.connection(to: routing.defaultStore, of: database) else {
      return output.appendError(OwnConnection.limitIsReached)
    }
    own.sendsWatch(over: connection)
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
    own.loseWatch(.connectionLost)
    return true
  }

  /// Notices that a WATCH that waited for its keys has failed. One that was not executed has no effect; the connection
  /// is checked before the next command.
  func watchFailed(_ failure: ConnectionFailure) {
    if case .notConnected = failure {
      own.watchWasRefused()
    } else {
      own.checkWatch(after: failure, over: path, isLastWatch: true)
    }
  }

  /// Ends the watch of a client that is about to block or to subscribe while the default store is to move: neither can
  /// begin on the present one any more, and the client waits for the flip like all others.
  func giveUpWatchForMove() {
    if own.loseWatch(.defaultMoved) { finishTurn() }
  }
}
