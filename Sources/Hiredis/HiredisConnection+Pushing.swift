internal import EventLoop

/// Gets what a store sends on a connection of its own: the replies to what was pushed there, and messages without a
/// request. Called on the loop's thread.
public protocol PushReceiver: AnyObject {
  /// The handshake is done: ``HiredisConnection/push(_:)`` can be used. Called again after each loss.
  func pushConnectionDidBecomeReady(_ connection: HiredisConnection)

  /// The store has sent another reply or message. May close the connection.
  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply)

  /// The store has sent more bytes, wherever they begin and end, on a connection that ``pushesBytes``. May close the
  /// connection.
  func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>)

  /// An attempt has failed, or the connection was lost; the next attempt is scheduled. May close the connection.
  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)
}

extension PushReceiver {
  /// For connections that push bytes: no reply comes there.
  public func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {}

  /// For connections that push replies: no bytes come there.
  public func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>) {}
}

/// Connections on which the store sends messages without a request.
extension HiredisConnection {
  /// Sends commands as they are on a connection that has a ``pushReceiver``, which gets the replies. No deadline
  /// applies, and nothing but the caller bounds how much waits to be written.
  ///
  /// - Returns: false when the connection is not ready, and nothing was sent.
  public func push(_ commands: Span<UInt8>) -> Bool {
    loop.preconditionOnLoop()
    guard machine.isReady, let context else { return false }
    return context.append(commands)
  }
}
