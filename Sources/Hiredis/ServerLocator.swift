public import EventLoop

/// Finds the server of a store that has no fixed address, for all connections to it. Called on the loop's thread.
public protocol ServerLocator: AnyObject {
  /// Finds out where the server is now, and calls ``HiredisConnection/didLocate(_:)`` or
  /// ``HiredisConnection/didNotLocate(_:)`` in a later turn, unless the connection leaves first.
  func locate(for connection: HiredisConnection)

  /// The server has refused a write since it is a replica.
  func serverRefusedWrite(of connection: HiredisConnection)

  /// The connection is closed, and must not be called any more.
  func leave(_ connection: HiredisConnection)
}

/// The answers of a locator to a connection.
extension HiredisConnection {
  /// The server is at `address`.
  public func didLocate(_ address: SocketAddress) {
    perform(machine.didLocate(address))
  }

  /// Nobody knows where the server is, for the reason given: a sentence without a full stop.
  public func didNotLocate(_ reason: String) {
    perform(machine.didNotLocate(reason))
  }

  /// The server is at `address` from now on. A connection to another one ends, and one to this one is made.
  public func serverDidMove(to address: SocketAddress) {
    perform(machine.serverDidMove(to: address))
  }
}
