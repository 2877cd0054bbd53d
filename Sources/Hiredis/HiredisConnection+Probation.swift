internal import EventLoop

/// Becoming ready: at once, or after a store that did not answer in time has answered probes for a while.
extension HiredisConnection {
  /// The handshake is done.
  func handshakeDidFinish(_ identity: ServerIdentity) {
    self.identity = identity
    clientID = handshake.clientID
    orphan = nil
    guard service != .patient else { return becomeReady(identity) }
    take(probation.connected(at: loop.now), identity)
  }

  /// A reply has come while the store proves itself.
  func probeAnswered() {
    guard let identity else { preconditionFailure("a probe was answered before the handshake") }
    state = .proving(awaitsReply: false)
    take(probation.probeAnswered(at: loop.now), identity)
  }

  /// The store has become indispensable while it proved itself.
  func endProbation() {
    if let identity { becomeReady(identity) }
  }

  /// The pause before the next probe is over, or a reply has not come in time.
  func proofTimerFired(awaitsReply: Bool) {
    if awaitsReply {
      verdict = (.timedOut, "no reply to a probe within \(commandTimeout ?? limits.connectTimeout)")
      context?.abort()
    } else {
      sendProbe()
    }
  }

  private func take(_ step: Probation.Step, _ identity: ServerIdentity) {
    switch step {
    case .use:
      becomeReady(identity)
    case .probe(let pause):
      state = .proving(awaitsReply: false)
      lastFailure = "the store did not answer in time before, and has to answer probes first"
      queue.removeAll { command, _ in fail(command, with: .notConnected(reason: lastFailure)) }
      if pause > .zero { attemptTimer?.schedule(after: pause) } else { sendProbe() }
    }
  }

  private func sendProbe() {
    state = .proving(awaitsReply: true)
    attemptTimer?.schedule(after: commandTimeout ?? limits.connectTimeout)
    let probe = probe
    _ = context?.append(probe.span)
  }

  private func becomeReady(_ identity: ServerIdentity) {
    if state == .proving(awaitsReply: true) {
      // Its reply must not be taken for a command's.
      let probe = QueuedCommand(
        receiver: DiscardedReplies.shared,
        token: 0,
        sentAt: loop.now,
        byteCount: probe.count,
        refusal: nil,
        isCounted: false
      )
      queue.append(probe)
    }
    state = .ready
    epoch += 1
    attemptTimer?.cancel()
    context?.isRaw = pushesBytes
    handOver()
    delegate?.connectionDidBecomeReady(self, identity: identity)
    pushReceiver?.pushConnectionDidBecomeReady(self)
  }
}
