internal import EventLoop

/// Hears that a connection has written what it had.
public protocol DrainWaiter: AnyObject {
  /// The connection is not congested any more: it has drained, or it was lost. Called once for each wait, within the
  /// turn.
  func connectionDidDrain()
}

/// Waiting instead of having bytes copied that can't be written yet.
extension HiredisConnection {
  /// Whether more waits to be written than the operating system will soon take: what is sent now is copied, and waits.
  public var isCongested: Bool {
    state == .ready && (queue.holdsCommands || unwrittenBytes >= Self.unwrittenHighWater)
  }

  /// Tells `waiter` when the connection has drained, in the order of the calls, and retains it until then. For a
  /// connection that is congested.
  public func whenDrained(_ waiter: any DrainWaiter) {
    loop.preconditionOnLoop()
    drainWaiters.append(waiter)
  }

  /// To be called whenever the connection may be congested no more.
  func tellDrainWaiters() {
    guard !drainWaiters.isEmpty, !isCongested else { return }
    let waiters = drainWaiters
    drainWaiters = []
    for waiter in waiters { waiter.connectionDidDrain() }
  }
}
