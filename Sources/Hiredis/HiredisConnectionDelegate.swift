/// The delegate of a connection, notified of its events on the loop's thread.
public protocol HiredisConnectionDelegate: AnyObject {
  /// Called when the handshake is done; commands that were queued meanwhile are in flight.
  func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity)

  /// Called once for each failed attempt and each loss of a working connection, when the next attempt is already
  /// scheduled.
  func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)

  /// Called when the store has closed a working connection on which no command was in flight. The next attempt begins
  /// shortly, and commands wait for it; if it fails, that is reported like any other failed attempt.
  func connectionWasClosedWhileIdle(_ connection: HiredisConnection, detail: String)

  /// Called when the store has refused the login of files that have changed; once for each change. The connection stays
  /// logged in as it was, and the login is tried again from time to time.
  func connection(_ connection: HiredisConnection, keepsFormerLogin detail: String)

  /// Called when commands that count were answered; within the turn, after their receivers.
  ///
  /// - Parameters:
  ///   - count: the number of commands, at least 1; all were sent in the same turn.
  ///   - errors: the number of the replies that are errors.
  ///   - latencyNanoseconds: the time from sending each command to its reply, by the loop's clock.
  func connection(
    _ connection: HiredisConnection,
    didComplete count: Int,
    errors: Int,
    latencyNanoseconds: UInt64
  )

  /// Called when a command that counts will get no reply; before its receiver.
  func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure)
}

extension HiredisConnectionDelegate {
  /// Does nothing.
  public func connection(_ connection: HiredisConnection, keepsFormerLogin detail: String) {}
}
