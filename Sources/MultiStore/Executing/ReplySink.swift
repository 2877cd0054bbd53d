public import Hiredis
public import RESP

/// The receiver of an execution's replies, encoded as RESP2, in the order of the commands.
///
/// A class to derive from, not a protocol, so that the hot path writes into `output` without a dynamic call. Confined
/// to the loop of the instance.
open class ReplySink {
  /// Replies that were not taken out yet.
  public final var output = ByteBuffer()

  /// A sink with nothing in it.
  public init() {}

  /// Notifies that the reply to the command at `index` of the batch is an error because `role`'s store could not be
  /// reached, or did not answer; a transaction fails as a whole, at index 0. Called in addition to the error reply, for
  /// sinks that need the reason rather than its text, and always before ``executionDidFinish()``.
  open func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {}

  /// Takes the first replies of an execution that is still in progress: they are final, the last of them is large, and
  /// the others follow in ``output``. Appends them to ``output`` unless overridden.
  open func passOn(_ replies: Span<UInt8>) {
    output.append(replies)
  }

  /// Notifies that a blocked command was cancelled before it was served, or can't be cancelled.
  open func executionWasCalledOff() {}

  /// Notifies that all replies of one execution are in ``output``.
  open func executionDidFinish() {}

  /// Notifies that a change of the flags that had to wait is active, or was replaced by another one:
  /// ``Instance/routing(orNotify:watching:)`` is to be called again. Never called before that call returns.
  open func routingDidSettle() {}

  /// Returns the connection for a blocked command that moves to `role`'s store, which has become the default one; nil
  /// if no connection is left for it.
  open func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? { nil }

  /// Receives a message or a reply of the store to a ``Subscription``. Appends it to ``output`` unless overridden.
  open func subscriptionDidReceive(_ reply: borrowing Reply) {
    reply.encode(into: &output)
  }

  /// Notifies that messages for a ``Subscription`` may have been lost with its connection. The client has to notice
  /// that, so it is to be disconnected, as by a server that ended.
  open func subscriptionDidEnd() {}
}
