/// Is notified of what happens to a connection, on the loop's thread.
public protocol HiredisConnectionDelegate: AnyObject {
  /// The handshake is done; commands that were queued meanwhile are in flight.
  func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity)

  /// An attempt has failed, or a working connection was lost. Called once for each, when the next attempt is already
  /// scheduled.
  func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)

  /// The store has closed a working connection on which no command was in flight. The next attempt begins shortly, and
  /// commands wait for it; if it fails, that is reported like any other failed attempt.
  func connectionWasClosedWhileIdle(_ connection: HiredisConnection, detail: String)

  /// Commands that count were answered; called within the turn, after their receivers.
  ///
  /// - Parameters:
  ///   - count: how many commands, at least 1; all were sent in the same turn.
  ///   - errors: how many of the replies are errors.
  ///   - latencyNanoseconds: the time from sending each command to its reply, by the loop's clock.
  func connection(
    _ connection: HiredisConnection,
    didComplete count: Int,
    errors: Int,
    latencyNanoseconds: UInt64
  )

  /// A command that counts will get no reply; called before its receiver.
  func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure)
}
