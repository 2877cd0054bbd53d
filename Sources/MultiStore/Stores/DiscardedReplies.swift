internal import Hiredis

/// Takes replies that nobody waits for. What was asked is done if the store can do it, and is of no harm if not.
final class DiscardedReplies: ReplyReceiver, Sendable {
  static let shared = DiscardedReplies()

  func receive(_ reply: borrowing Reply, token: Int) {}

  func receive(failure: ConnectionFailure, token: Int) {}
}
