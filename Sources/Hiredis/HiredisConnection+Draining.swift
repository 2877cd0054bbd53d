public import EventLoop

/// Waiting until a connection has written its commands, instead of having more of them copied.
extension HiredisConnection: EndOfTurnWorker {
  /// Whether the operating system has not taken all that it was offered: a command that is sent now is copied, and
  /// waits.
  public var isCongested: Bool {
    machine.isReady && context?.isSocketFull == true
  }

  /// Notifies `waiter` when all is written that was sent before, by the waiters before it too, and retains it until
  /// then. It should then send, whatever others have sent meanwhile: otherwise it could wait indefinitely.
  public func whenDrained(_ waiter: any DrainWaiter) {
    loop.preconditionOnLoop()
    drains.append(waiter)
  }

  /// Notifies the waiters whose turn has come. Called whenever bytes were written, and when the connection is gone.
  func notifyDrainWaiters() {
    guard machine.isReady else {
      while let waiter = drains.popAbandoned() { waiter.connectionDidDrain() }
      return
    }
    guard let waiter = drains.popDrained(queuedBytes: queuedBytes) else { return }
    waiter.connectionDidDrain()
    loop.atEndOfNextTurn(self)
  }

  /// Called by the loop when a notified waiter has sent. Not to be called by others.
  public func endOfTurn() {
    drains.turnDidEnd()
    notifyDrainWaiters()
  }
}
