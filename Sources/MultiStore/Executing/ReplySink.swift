public import Hiredis
public import RESP

/// Where the replies of an execution go: encoded as RESP2, in the order of the commands.
///
/// A class to derive from, not a protocol, so that the hot path writes into `output` without a dynamic call. Confined
/// to the loop of the instance.
open class ReplySink {
  /// Replies that were not taken out yet.
  public final var output = ByteBuffer()

  /// A sink with nothing in it.
  public init() {}

  /// The reply to the command at `index` of the batch is an error because `role`'s store could not be asked, or did not
  /// answer; a transaction fails as a whole, at index 0. Called besides, for sinks that have more use for the reason
  /// than for the error's words, and always before ``executionDidFinish()``.
  open func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {}

  /// Takes the first replies of an execution that is still under way: they are final, the last of them is large, and
  /// the others follow in ``output``. Appends them to ``output`` unless overridden.
  open func passOn(_ replies: Span<UInt8>) {
    output.append(replies)
  }

  /// A command that waits was called off before there was something for it, or can't be called off.
  open func executionWasCalledOff() {}

  /// All replies of one execution are in ``output``.
  open func executionDidFinish() {}

  /// A change of the flags that had to wait is in force, or another one has taken its place:
  /// ``Instance/routing(orNotify:watching:)`` is to be called again. Never called before that call returns.
  open func routingDidSettle() {}

  /// A command that waits is taken along to `role`'s store, which has become the default one: the connection that it is
  /// to wait on, or nil when there is none for it any more.
  open func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? { nil }

  /// Takes what the store says to a ``Subscription``: a message, or an answer. Appends it to ``output`` unless
  /// overridden.
  open func subscriptionDidReceive(_ reply: borrowing Reply) {
    reply.encode(into: &output)
  }

  /// Messages for a ``Subscription`` may have been lost with its connection. The client has to learn that, and so it is
  /// to be cut off as by a server that ended.
  open func subscriptionDidEnd() {}
}
