internal import EventLoop

/// What happens when an attempt fails or a connection ends, and who is told.
extension HiredisConnection {
  func attemptFailed(_ kind: ConnectionDownReason.Kind, _ detail: String) {
    let reason = becomeUnavailable(kind, detail)
    queue.removeAll { command, _ in fail(command, with: .notConnected(reason: lastFailure)) }
    delegate?.connection(self, didBecomeUnavailable: reason)
    pushReceiver?.pushConnection(self, didBecomeUnavailable: reason)
  }

  func connectionLost(_ end: ContextEnd, _ detail: String) {
    // A store that takes connections only to drop them soon is not well yet.
    if loop.now &- readySince >= UInt64(max(0, limits.backoffCap / .nanoseconds(1))) { backoff.reset() }
    let timedOut = verdict?.kind == .commandTimedOut
    let reason = becomeUnavailable(verdict?.kind ?? .lost, verdict?.detail ?? detail)
    var first: ConnectionFailure?
    var others = ConnectionFailure.connectionLost(reason: reason.detail)
    if timedOut {
      first = .timedOut
      others = .connectionLost(reason: "another command on the same connection got no reply in time")
    } else if case .replyTooDeep = end {
      others = .connectionLost(reason: ConnectionFailure.neighbourTooDeep)
      first = .connectionLost(reason: ConnectionFailure.tooDeep)
    }
    queue.removeAll { command, wasHandedOver in
      guard command.isCounted || !wasHandedOver else { return fail(command, with: others) }
      fail(command, with: wasHandedOver ? first ?? others : .notConnected(reason: lastFailure))
      first = nil
    }
    delegate?.connection(self, didBecomeUnavailable: reason)
    pushReceiver?.pushConnection(self, didBecomeUnavailable: reason)
    tellDrainWaiters()
  }

  /// Tells whoever sent `command`, at the end of the turn. One that was refused fails for that reason.
  func fail(_ command: borrowing QueuedCommand, with failure: ConnectionFailure) {
    let failure = command.refusal?.failure(limits) ?? failure
    if command.isCounted { delegate?.connection(self, didFail: failure) }
    failures.append(command.receiver, token: command.token, failure: failure)
  }

  /// Schedules the next attempt.
  private func becomeUnavailable(_ kind: ConnectionDownReason.Kind, _ detail: String) -> ConnectionDownReason {
    state = .waiting
    lookup = nil
    verdict = nil
    deadlineTimer?.cancel()
    isDeadlineSet = false
    let delay = backoff.next()
    attemptTimer?.schedule(after: delay)
    let reason = ConnectionDownReason(kind: kind, detail: detail, attempt: backoff.attempt, retryDelay: delay)
    lastFailure = reason.description
    return reason
  }
}
