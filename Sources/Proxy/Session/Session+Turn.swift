internal import EventLoop
internal import MultiStore

/// The end of a turn: commands that had to wait are taken, and the replies of the turn are sent.
extension Session: EndOfTurnWorker {
  func endOfTurn() {
    isAtEndOfTurn = false
    if isGone { delivery.clear(&output, keepingCapacityUpTo: 0) }
    defer { accountForMemory() }
    while inputCount > 0 || input.owesRefusal, state.takesInput, hasHeadroom {
      let owedRefusal = input.owesRefusal
      // The answer to a refused command takes no bytes, and those behind it come next.
      guard input.take({ process($0) }) || owedRefusal && !input.owesRefusal else { break }
      // Nobody takes the replies, which must not hold up the commands.
      if isGone { delivery.clear(&output, keepingCapacityUpTo: 0) }
    }
    // The command was dispatched differently, or is not executed any more.
    if largeWriteBytes > 0, !state.isExecuting, !state.isHeld { endLargeWrite() }
    switch state.inputWasTaken() {
    case .serve: serveOutput()
    case .wait: return
    case .release:
      releaseConnections()
      dropInput()
      server.didClose(self)
    }
  }

  /// Sends the replies of the turn, and closes the connection or reads on.
  private func serveOutput() {
    let isHeldUpByReplies = (inputCount > 0 || input.owesRefusal) && !isClosing && !hasHeadroom
    // One turn's replies may exceed the limit, so that a large one reaches a client that takes it.
    if pendingBefore > server.limits.outputBufferLimit, owedBytes > pendingBefore { return cutOff(.outputBufferLimit) }
    let hasReplied = !output.isEmpty
    writeOutput()
    pendingBefore = stream.pendingWriteBytes
    forwardWindow.adapt(hasReplied: hasReplied, owed: pendingBefore, highWater: Self.outputHighWater)
    // If the socket has taken them all, no drain will be notified.
    if isHeldUpByReplies, hasHeadroom { finishTurn() }
    switch state.outputWasSent(isHeldUp: isHeldUpByReplies, isBlocked: isBlocked) {
    case .read: updateReading()
    case .close: stream.closeAfterWriting()
    case .cancelWait:
      // A command that does not wait any more was served, and is answered once its effect is copied.
      let isCancelled = instance.callOffBlockedCommands(of: self) || state.isExecuting
      if state.waitWasCancelled(isCancelled) { stream.closeAfterWriting() } else { updateReading() }
    }
  }

  /// Drops commands that will never be executed.
  private func dropInput() {
    input.removeAll()
    transaction = nil
  }

  /// Closes the session's own connections. A client that is gone keeps them until its commands are executed, since
  /// those may depend on watched keys.
  func releaseConnections() {
    own.close()
    releaseSubscription()
  }

  func updateReading() {
    // Keep reading while blocked, so that a disconnect is noticed before the command is served.
    let hasRoom = isQuiet || hasRoom(for: inputCount, below: Self.inputHighWater) || isBlocked
    let mayOwe = self.hasRoom(for: output.count + pendingBefore, below: Self.outputHighWater)
    let canRead = state.mayRead && mayOwe && hasRoom && !memory.isWaiting
    guard canRead != isReading else { return }
    isReading = canRead
    if canRead { stream.startReading() } else { stream.stopReading() }
  }
}
