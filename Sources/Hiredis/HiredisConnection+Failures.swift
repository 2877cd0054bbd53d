internal import EventLoop

/// What happens when an attempt fails or a connection ends, and who is told.
extension HiredisConnection {
  /// The delay before a store is asked again that has rejected a login or a database: that was most probably a mistake
  /// in a configuration, and servers log each rejection.
  private static let rejectionDelay = Duration.seconds(1)

  func attemptFailed(_ kind: ConnectionDownReason.Kind, _ detail: String) {
    var delay = backoff.next()
    if kind == .authenticationRejected || kind == .databaseRejected { delay = max(delay, Self.rejectionDelay) }
    state = .waiting
    let reason = becomeUnavailable(kind, detail, retryDelay: delay)
    queue.removeAll { command, _ in fail(command, with: .notConnected(reason: lastFailure)) }
    delegate?.connection(self, didBecomeUnavailable: reason)
    pushReceiver?.pushConnection(self, didBecomeUnavailable: reason)
  }

  func connectionLost(_ end: ContextEnd, _ detail: String) {
    let timedOut = verdict?.kind == .commandTimedOut
    // A store that has just let a command time out is not worth waiting for if it is dispensable.
    state = timedOut && service != .patient ? .waiting : .starting
    let delay = backoff.restart(after: .nanoseconds(Int64(clamping: loop.now &- attemptedAt)))
    let reason = becomeUnavailable(verdict?.kind ?? .lost, verdict?.detail ?? detail, retryDelay: delay)
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

  /// The store has closed a connection on which no command was in flight that somebody waits for, as servers and what
  /// lies between do with idle ones. It is made again at once, and commands wait for it.
  func idleConnectionLost(_ detail: String) {
    state = .starting
    stopTimers()
    attemptTimer?.schedule(after: backoff.restart(after: .nanoseconds(Int64(clamping: loop.now &- attemptedAt))))
    queue.removeAll { command, _ in fail(command, with: .connectionLost(reason: detail)) }
    keepAlive?.connectionWasClosed()
    delegate?.connectionWasClosedWhileIdle(self, detail: detail)
    tellDrainWaiters()
  }

  /// Schedules the next attempt.
  private func becomeUnavailable(
    _ kind: ConnectionDownReason.Kind,
    _ detail: String,
    retryDelay: Duration
  ) -> ConnectionDownReason {
    stopTimers()
    attemptTimer?.schedule(after: retryDelay)
    let reason = ConnectionDownReason(kind: kind, detail: detail, attempt: backoff.attempt, retryDelay: retryDelay)
    lastFailure = reason.description
    return reason
  }

  private func stopTimers() {
    lookup = nil
    verdict = nil
    deadlineTimer?.cancel()
    isDeadlineSet = false
  }
}
