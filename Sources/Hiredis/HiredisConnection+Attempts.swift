internal import EventLoop

/// From an address to a connection that is ready: resolving, connecting, shaking hands.
extension HiredisConnection {
  func attemptTimerFired() {
    switch state {
    case .starting:
      beginAttempt(holdsCommands: true)
    case .waiting:
      beginAttempt(holdsCommands: service == .patient)
    case .proving(let awaitsReply):
      proofTimerFired(awaitsReply: awaitsReply)
    case .connecting:
      verdict = (.timedOut, "no connection within \(limits.connectTimeout)")
      candidates = []
      if let context {
        context.abort()
      } else {
        attemptFailed(.timedOut, "\(endpoint.address) could not be resolved within \(limits.connectTimeout)")
      }
    case .idle, .ready, .closed:
      break
    }
  }

  /// Has a connection that waits for its next attempt begin it: others have just found the store.
  public func retryNow() {
    loop.preconditionOnLoop()
    if state == .waiting { attemptTimerFired() }
  }

  private func beginAttempt(holdsCommands: Bool) {
    state = .connecting(holdsCommands: holdsCommands)
    attemptedAt = loop.now
    attemptTimer?.schedule(after: limits.connectTimeout)
    guard case .tcp(let host, let port) = endpoint.address, !HostLookup.isLiteral(host) else {
      candidates = [endpoint.address]
      tryNextCandidate()
      return
    }
    // hiredis would resolve the name itself, and block the loop meanwhile.
    do throws(EventLoopError) {
      lookup = try HostLookup(on: loop, host: host) { [unowned self] outcome in
        lookup = nil
        switch outcome {
        case .addresses(let addresses):
          candidates = addresses.map { .tcp(host: $0, port: port) }[...]
          tryNextCandidate()
        case .failure(let reason):
          attemptFailed(.connectFailed, "\(host): \(reason)")
        }
      }
    } catch {
      attemptFailed(.connectFailed, error.description)
    }
  }

  private func tryNextCandidate() {
    while let address = candidates.popFirst() {
      do throws(ContextFailure) {
        handshake = Handshake(
          endpoint: endpoint,
          preparation: preparation,
          asksForClientID: asksForClientID,
          orphan: orphan
        )
        verdict = nil
        context = try HiredisContext(on: loop, address: address, owner: self)
        return
      } catch {
        if candidates.isEmpty { attemptFailed(.connectFailed, "\(address): \(error.reason)") }
      }
    }
  }

  func contextDidConnect() {
    for command in handshake.commands { sayInHandshake(command) }
  }

  private func sayInHandshake(_ command: [UInt8]) {
    let accepted = context?.append(command.span) ?? false
    precondition(accepted, "a context in its handshake takes no command")
  }

  func receiveHandshake(_ reply: borrowing Reply) {
    switch handshake.receive(reply) {
    case .unfinished:
      break
    case .failed(let kind, let detail):
      verdict = (kind, detail)
      context?.abort()
    case .proceed(let command):
      sayInHandshake(command)
    case .ready(let identity):
      handshakeDidFinish(identity)
    }
  }

  func contextDidEnd(_ end: ContextEnd) {
    context = nil
    let detail: String
    switch end {
    case .failed(let reason), .protocolViolated(let reason): detail = reason
    case .replyTooDeep: detail = ConnectionFailure.tooDeep
    case .aborted: detail = "closed from this side"
    }
    switch state {
    case .ready:
      contextWasLost(end, detail)
    case .proving:
      clientID = nil
      attemptFailed(verdict?.kind ?? .connectFailed, verdict?.detail ?? detail)
    default:
      if let verdict {
        attemptFailed(verdict.kind, verdict.detail)
      } else if candidates.isEmpty {
        attemptFailed(.connectFailed, "\(endpoint.address): \(detail)")
      } else {
        tryNextCandidate()
      }
    }
  }

  /// A working connection has ended.
  private func contextWasLost(_ end: ContextEnd, _ detail: String) {
    if queue.hasHandedOver, let clientID, let runID = identity?.runID {
      orphan = Orphan(clientID: clientID, runID: runID)
    }
    clientID = nil
    if case .failed = end, !queue.hasCounted, pushReceiver == nil {
      idleConnectionLost(detail)
    } else {
      connectionLost(end, detail)
    }
  }
}
