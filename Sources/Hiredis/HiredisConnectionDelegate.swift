/// Hears about a connection, on the loop's thread.
public protocol HiredisConnectionDelegate: AnyObject {
  /// The handshake is done; what was queued meanwhile is on its way.
  func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity)

  /// An attempt has failed, or a working connection was lost. Called once for each, when the next attempt is already
  /// scheduled.
  func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)

  /// A reply has come to a command that counts; called before its receiver.
  ///
  /// - Parameter latencyNanoseconds: from handing the command over to its reply, by the loop's clock.
  func connection(_ connection: HiredisConnection, didComplete isError: Bool, latencyNanoseconds: UInt64)

  /// A command that counts will get no reply; called before its receiver.
  func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure)
}
