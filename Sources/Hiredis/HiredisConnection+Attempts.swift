internal import EventLoop

/// From an address to a connection that is ready: resolving, connecting, shaking hands.
extension HiredisConnection {
  func attemptTimerFired() {
    switch state {
    case .starting, .waiting:
      beginAttempt()
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

  private func beginAttempt() {
    state = .connecting
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
        handshake = Handshake(endpoint: endpoint, preparation: preparation, asksForClientID: asksForClientID)
        verdict = nil
        context = try HiredisContext(on: loop, address: address, owner: self)
        return
      } catch {
        if candidates.isEmpty { attemptFailed(.connectFailed, "\(address): \(error.reason)") }
      }
    }
  }

  func contextDidConnect() {
    for command in handshake.commands {
      let accepted = context?.append(command.span) ?? false
      precondition(accepted, "a context that has just connected takes no command")
    }
  }

  func receiveHandshake(_ reply: borrowing Reply) {
    switch handshake.receive(reply) {
    case .unfinished:
      break
    case .failed(let kind, let detail):
      verdict = (kind, detail)
      context?.abort()
    case .ready(let identity):
      state = .ready
      epoch += 1
      clientID = handshake.clientID
      readySince = loop.now
      attemptTimer?.cancel()
      context?.isRaw = pushesBytes
      handOver()
      delegate?.connectionDidBecomeReady(self, identity: identity)
      pushReceiver?.pushConnectionDidBecomeReady(self)
    }
  }

  func contextDidEnd(_ end: ContextEnd) {
    context = nil
    clientID = nil
    let detail: String
    switch end {
    case .failed(let reason): detail = reason
    case .replyTooDeep: detail = ConnectionFailure.tooDeep
    case .aborted: detail = "given up"
    }
    if state == .ready {
      connectionLost(end, detail)
    } else if let verdict {
      attemptFailed(verdict.kind, verdict.detail)
    } else if candidates.isEmpty {
      attemptFailed(.connectFailed, "\(endpoint.address): \(detail)")
    } else {
      tryNextCandidate()
    }
  }
}
