internal import DequeModule
public import EventLoop

/// Hears that a connection has written what it had.
public protocol DrainWaiter: AnyObject {
  /// It is this one's turn: what was before it is written, or the connection was lost. Called once for each wait,
  /// within the turn.
  func connectionDidDrain()
}

/// Waiting instead of having bytes copied that can't be written yet.
extension HiredisConnection: EndOfTurnWorker {
  /// Whether the operating system has not taken all that it was offered: what is sent now is copied, and waits.
  public var isCongested: Bool {
    state == .ready && context?.isSocketFull == true
  }

  /// Tells `waiter` when all that was sent before is written, what those sent included who waited before, and retains
  /// it until then. It should then send, whatever others have sent meanwhile: otherwise it could wait for as long as
  /// they go on.
  public func whenDrained(_ waiter: any DrainWaiter) {
    loop.preconditionOnLoop()
    if drainWaiters.isEmpty, !hasToldWaiter { drainMark = sentBytes }
    drainWaiters.append(waiter)
  }

  /// To be called whenever something was written, and when the connection is gone.
  func tellDrainWaiters() {
    guard state == .ready else {
      while let waiter = drainWaiters.popFirst() { waiter.connectionDidDrain() }
      return
    }
    guard !hasToldWaiter, sentBytes &- queuedBytes >= drainMark, let waiter = drainWaiters.popFirst() else { return }
    hasToldWaiter = true
    waiter.connectionDidDrain()
    loop.atEndOfNextTurn(self)
  }

  /// The loop's call when the one that was told has sent, if it wanted to. Not to be called by others.
  public func endOfTurn() {
    hasToldWaiter = false
    drainMark = sentBytes
    tellDrainWaiters()
  }
}
