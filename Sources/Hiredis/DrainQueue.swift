internal import DequeModule

/// A sender that is notified when a connection has written its commands.
public protocol DrainWaiter: AnyObject {
  /// Called when all commands that were sent before this waiter's turn are written, or the connection was lost; once
  /// for each wait, within the turn.
  func connectionDidDrain()
}

/// The senders that wait until the commands before theirs are written, in order.
///
/// The first one's turn comes when all is written that was sent before it began to wait. Each of the others' comes when
/// all is written that was sent up to the end of the turn before, so that no stream of commands of other senders can
/// delay it for ever.
struct DrainQueue: ~Copyable {
  private var waiters = UniqueDeque<any DrainWaiter>()
  /// The value of ``sentBytes`` up to which all must be written for the first waiter.
  private var mark = 0
  /// Whether a waiter was notified, and may still send in this turn.
  private var hasNotified = false
  /// The bytes of commands that were sent so far, over all connections that were made.
  private(set) var sentBytes = 0

  /// Whether a sender waits.
  @inline(__always)
  var hasWaiters: Bool { !waiters.isEmpty }

  /// Records that `byteCount` bytes of commands were sent.
  @inline(__always)
  mutating func didSend(_ byteCount: Int) {
    sentBytes &+= byteCount
  }

  /// Adds a waiter, which is retained until its turn.
  mutating func append(_ waiter: any DrainWaiter) {
    if waiters.isEmpty, !hasNotified { mark = sentBytes }
    waiters.append(waiter)
  }

  /// Removes and returns the first waiter if its turn has come; `queuedBytes` are not written. After that no other
  /// waiter's turn comes until ``turnDidEnd()``.
  mutating func popDrained(queuedBytes: Int) -> (any DrainWaiter)? {
    guard !hasNotified, !waiters.isEmpty, sentBytes &- queuedBytes >= mark else { return nil }
    hasNotified = true
    return waiters.popFirst()
  }

  /// Removes and returns the first waiter of a connection that was lost.
  mutating func popAbandoned() -> (any DrainWaiter)? { waiters.popFirst() }

  /// Records that the notified waiter has had its turn to send.
  mutating func turnDidEnd() {
    hasNotified = false
    mark = sentBytes
  }
}
