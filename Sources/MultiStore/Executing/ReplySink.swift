public import Hiredis
public import RESP

/// The replies that an execution has written and that were not taken out yet, encoded as RESP2, in the order of the
/// commands.
///
/// A class, which ``ReplySink`` requires as a base: the hot path then writes into ``output`` without a dynamic call. It
/// has no behavior. Confined to the loop of the instance.
open class ReplyOutput {
  /// Replies that were not taken out yet.
  public final var output = ByteBuffer()

  /// An output with nothing in it.
  public init() {}
}

/// The receiver of an execution's replies. Notified on the loop of the instance.
public protocol ReplySink: ReplyOutput {
  /// Notifies that the reply to the command at `index` of the batch is an error because `role`'s store could not be
  /// reached, or did not answer; a transaction fails as a whole, at index 0. Called in addition to the error reply, for
  /// sinks that need the reason rather than its text, and always before ``executionDidFinish()``.
  func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole)

  /// Takes the first replies of an execution that is still in progress: they are final, the last of them is large, and
  /// the others follow in ``ReplyOutput/output``.
  func passOn(_ replies: Span<UInt8>)

  /// Notifies that all replies of one execution are in ``ReplyOutput/output``.
  func executionDidFinish()
}

/// The receiver of a blocking command's reply, for which the command moves with the default store.
public protocol BlockingSink: ReplySink {
  /// Notifies that a blocked command was cancelled before it was served, or can't be cancelled.
  func executionWasCalledOff()

  /// Notifies that a cancelled command ends without a reply, since it had no timeout. The client has to notice that, so
  /// it is to be disconnected, as by a server that ended.
  func executionHasNoReply()

  /// Returns the connection for a blocked command that moves to `role`'s store, which has become the default one; nil
  /// if no connection is left for it.
  func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection?
}

/// The receiver of a ``Subscription``'s replies and messages. A command of the subscription is an execution.
public protocol SubscriptionSink: ReplySink {
  /// Receives a message or a reply of the store.
  func subscriptionDidReceive(_ reply: borrowing Reply)

  /// Notifies that messages may have been lost with the connection. The client has to notice that, so it is to be
  /// disconnected, as by a server that ended.
  func subscriptionDidEnd()
}

/// Waits while a flip waits for executions in flight. Notified on the loop of the instance.
public protocol RoutingWaiter: AnyObject {
  /// Notifies that a change of the flags that had to wait is active, or was replaced by another one:
  /// ``Instance/routing(orNotify:watching:)`` is to be called again. Never called before that call returns.
  func routingDidSettle()
}
