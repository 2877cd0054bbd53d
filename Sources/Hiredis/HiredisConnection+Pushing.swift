internal import EventLoop

/// The receiver of the data that a store sends on a connection of its own: replies to pushed commands, and messages
/// without a request. Called on the loop's thread.
public protocol PushReceiver: AnyObject {
  /// Called when the handshake is done: ``HiredisConnection/push(_:)`` can be used. Called again after each loss.
  func pushConnectionDidBecomeReady(_ connection: HiredisConnection)

  /// Delivers another reply or message from the store. May close the connection.
  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply)

  /// Delivers more bytes from the store, wherever they begin and end, on a connection that ``pushesBytes``. May close
  /// the connection.
  func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>)

  /// Called when an attempt has failed, or the connection was lost; the next attempt is scheduled. May close the
  /// connection.
  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason)
}

extension PushReceiver {
  /// Does nothing: connections that push bytes receive no replies.
  public func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {}

  /// Does nothing: connections that push replies receive no bytes.
  public func pushConnection(_ connection: HiredisConnection, didReceive bytes: Span<UInt8>) {}
}

/// Connections on which the store sends messages without a request.
extension HiredisConnection {
  /// Sends commands unchanged on a connection that has a ``pushReceiver``, which gets the replies. No deadline applies
  /// but the caller's, with ``expire(after:sentAt:)``, and only the caller bounds the bytes that wait to be written.
  ///
  /// - Returns: false if the connection is not ready, and nothing was sent.
  public func push(_ commands: Span<UInt8>) -> Bool {
    loop.preconditionOnLoop()
    guard machine.isReady, let context else { return false }
    return context.append(commands)
  }
}
