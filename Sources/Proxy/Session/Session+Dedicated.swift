internal import Hiredis
internal import MultiStore
internal import RESP

/// A connection to one store that belongs to one session.
struct DedicatedConnection {
  let store: StoreRole
  let connection: HiredisConnection
}

extension Session {
  /// The error for a client that can't have a dedicated connection.
  static let noDedicatedConnection =
    "ERR MultiStore: max_dedicated_connections are open already, for other clients' blocking commands, WATCHes and "
    + "subscriptions"

  /// Returns the session's own connection to `role`, opened on first use; nil when the limit is reached.
  ///
  /// A connection to a store that is no longer the default is closed: its watches are void.
  func dedicatedConnection(to role: StoreRole) -> HiredisConnection? {
    if let dedicated {
      // A lost connection would refuse commands while it waits for its next attempt.
      let wasLost = dedicated.connection.epoch > 0 && !dedicated.connection.isReady
      if dedicated.store == role, !wasLost { return dedicated.connection }
      releaseDedicated()
    }
    guard let connection = database.store(role).takeDedicated() else { return nil }
    dedicated = DedicatedConnection(store: role, connection: connection)
    return connection
  }

  /// Closes the session's own connections if a command has had no reply within the store's command timeout and does not
  /// wait for others. Called at regular intervals: the connections themselves cannot tell the two cases apart. Blocking
  /// commands are left to their instance.
  func expireOwnConnections() {
    subscription?.expire()
    guard let dedicated, !isBlocked, !isQuiet,
      let timeout = database.store(dedicated.store).ordinary.limits.commandTimeout
    else { return }
    dedicated.connection.expire(after: timeout)
  }

  /// Closes the session's own connection. The server cancels a command that blocks there, and the watches there are
  /// lost.
  func releaseDedicated() {
    guard let dedicated else { return }
    self.dedicated = nil
    database.store(dedicated.store).closeDedicated(dedicated.connection)
    watchingConnectionDidClose()
  }
}
