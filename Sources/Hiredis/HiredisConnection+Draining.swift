internal import DequeModule
public import EventLoop

/// Hears that a connection has written what it had.
public protocol DrainWaiter: AnyObject {
  /// It is this one's turn: the connection has drained, or it was lost. Called once for each wait, within the turn.
  func connectionDidDrain()
}

/// Waiting instead of having bytes copied that can't be written yet.
extension HiredisConnection: EndOfTurnWorker {
  /// Whether more waits to be written than the operating system will soon take: what is sent now is copied, and waits.
  public var isCongested: Bool { isFull || state == .ready && queue.holdsCommands }

  private var isFull: Bool { state == .ready && unwrittenBytes >= Self.unwrittenHighWater }

  /// Tells `waiter` when the connection has drained, and retains it until then. One is told each time, in the order of
  /// the calls. It should then send, even if others were faster: otherwise it could wait for as long as they go on.
  public func whenDrained(_ waiter: any DrainWaiter) {
    loop.preconditionOnLoop()
    drainWaiters.append(waiter)
  }

  /// To be called whenever there may be room again, and when the connection is gone.
  func tellDrainWaiters() {
    while !isFull, let waiter = drainWaiters.popFirst() {
      waiter.connectionDidDrain()
      guard state == .ready else { continue }
      // What it sends is there at the end of this turn. If that was nothing, the next one is not to wait in vain.
      if !drainWaiters.isEmpty { loop.atEndOfNextTurn(self) }
      return
    }
  }

  /// The loop's call for who has waited longest, should the one before have sent nothing. Not to be called by others.
  public func endOfTurn() {
    tellDrainWaiters()
  }
}
