internal import EventLoop
internal import MultiStore
internal import RESP

/// The events of the client's stream.
extension Session: StreamDelegate {
  func stream(_ stream: Stream, didRead bytes: Span<UInt8>) {
    guard !isClosing else { return }
    if inputCount == 0, hasHeadroom, !state.isHeld {
      let consumed = process(bytes).consumed
      if consumed < bytes.count { keep(bytes.extracting(consumed..<bytes.count)) }
    } else {
      keep(bytes)
    }
    guard inputCount <= server.limits.inputBufferLimit else { return cutOff(.inputBufferLimit) }
    // With all commands in flight and nothing that the client has not taken, the end of the turn has nothing to do.
    let isServed = inputCount == 0 && output.isEmpty && pendingBefore == 0
    if isServed, state.awaitsReplies { accountForMemory() } else { finishTurn() }
  }

  private func keep(_ bytes: Span<UInt8>) {
    let directBytes = input.keep(
      bytes,
      mayReserve: memory.hasRoom(forCommandOf: input.knownLength),
      readRoom: server.directReadRoom()
    ) { stream.read(into: &$0) }
    server.directReads.bytes += directBytes
  }

  func streamDidDrain(_ stream: Stream) {
    pace.wasActive(at: server.loop.now)
    finishTurn()
  }

  func streamDidReachEnd(_ stream: Stream) {
    state.clientEnded()
    drain()
  }

  func streamDidClose(_ stream: Stream, error: StreamError?) {
    noteEnd(of: stream, error)
    state.disconnected(isWaiting: isBlocked || isInSubscriberMode)
    pendingBefore = 0
    abandonLogin()
    abandonPause()
    server.endMonitoring(self)
    // Its command may be in flight to a store that hangs. The commands behind that need no subscription.
    releaseSubscription()
    if isClosing { releaseConnections() }
    finishTurn()
  }
}
