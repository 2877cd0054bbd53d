internal import Hiredis
internal import MultiStore
internal import RESP

/// A connection to one store that belongs to one session.
struct DedicatedConnection {
  let store: StoreRole
  let connection: HiredisConnection
}

extension Session {
  /// What a client is told that can't have one.
  static let noDedicatedConnection =
    "ERR MultiStore: max_dedicated_connections are open already, for other clients' blocking commands, WATCHes and "
    + "subscriptions"

  /// The session's own connection to `role`, opened when it is needed first; nil when the limit is reached.
  ///
  /// One that leads to a store that is no longer the default is left behind: what it watched is void.
  func dedicatedConnection(to role: StoreRole) -> HiredisConnection? {
    if let dedicated {
      // One that was lost would refuse commands while it waits for its next attempt.
      let wasLost = dedicated.connection.epoch > 0 && !dedicated.connection.isReady
      if dedicated.store == role, !wasLost { return dedicated.connection }
      releaseDedicated()
    }
    guard let connection = database.store(role).takeDedicated() else { return nil }
    dedicated = DedicatedConnection(store: role, connection: connection)
    return connection
  }

  /// Gives up the session's own connection if what it executes there has had no reply for as long as a store may take,
  /// and is nothing that waits for others. Called now and then: the connection itself does not know the two apart.
  func expireOwnConnection() {
    guard let dedicated, !isBlocked, !isQuiet,
      let timeout = database.store(dedicated.store).ordinary.limits.commandTimeout
    else { return }
    dedicated.connection.expire(after: timeout)
  }

  /// Closes the session's own connection. A command that blocks there is given up by the server, and what was watched
  /// there is lost.
  func releaseDedicated() {
    guard let dedicated else { return }
    self.dedicated = nil
    database.store(dedicated.store).closeDedicated(dedicated.connection)
    watchingConnectionDidClose()
  }
}
