internal import EventLoop

/// Hears what a store says on a connection that is in its hands alone: the replies to what was written there, and what
/// the store says unasked. Called on the loop's thread.
public protocol PushReceiver: AnyObject {
  /// The handshake is done: ``HiredisConnection/push(_:)`` can be used. Called anew after each loss.
  func pushConnectionDidBecomeReady(_ connection: HiredisConnection)

  /// The next thing that the store has said. May close the connection.
  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply)

  /// The next bytes that the store has said, wherever they begin and end, on a connection that ``pushesBytes``. May
  /// close the connection.
  func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>)

  /// An attempt has failed, or the connection was lost; the next attempt is scheduled. May close the connection.
  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)
}

extension PushReceiver {
  /// For those whose connections push bytes: no reply comes there.
  public func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {}

  /// For those whose connections push replies: no bytes come there.
  public func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>) {}
}

/// Connections on which the store speaks unasked.
extension HiredisConnection {
  /// Sends commands as they are on a connection that has a ``pushReceiver``: what the store answers goes there. No
  /// deadline applies, and nothing bounds what waits to be written: the caller does.
  ///
  /// - Returns: false when the connection is not ready, and nothing was sent.
  public func push(_ commands: Span<UInt8>) -> Bool {
    loop.preconditionOnLoop()
    guard state == .ready, let context else { return false }
    return context.append(commands)
  }

  func contextDidReceiveRaw(_ bytes: Span<UInt8>) {
    pushReceiver?.pushConnection(self, didReceive: bytes)
  }
}
