/// Discards the replies to best-effort commands: the store executes them if it can, and no harm is done if not.
public final class DiscardedReplies: ReplyReceiver, Sendable {
  /// The instance that all senders share.
  public static let shared = DiscardedReplies()

  /// Does nothing.
  public func receive(_ reply: borrowing Reply, token: Int) {}

  /// Does nothing.
  public func receive(failure: ConnectionFailure, token: Int) {}
}
