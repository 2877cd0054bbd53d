internal import EventLoop

/// Commands that wait too long: for their replies, or for an attempt to connect.
extension HiredisConnection {
  /// How long a command may go without a reply; nil for ever.
  public var commandTimeout: Duration? {
    switch service {
    case .patient: limits.commandTimeout
    case .bestEffort(let timeout): min(limits.commandTimeout ?? timeout, timeout)
    }
  }

  func setDeadline() {
    guard let timeout = commandTimeoutNanoseconds, let sentAt = queue.oldestSentAt else { return }
    isDeadlineSet = true
    let age = loop.now &- sentAt
    deadlineTimer?.schedule(after: .nanoseconds(age < timeout ? timeout - age : 1))
  }

  /// The first command waits for the attempt under way from now on.
  func setHoldDeadline() {
    guard let commandTimeout else { return }
    isDeadlineSet = true
    deadlineTimer?.schedule(after: commandTimeout)
  }

  func deadlineTimerFired() {
    isDeadlineSet = false
    switch state {
    case .ready:
      if let commandTimeout { expire(after: commandTimeout) }
      if state == .ready { setDeadline() }
    case .starting, .connecting(holdsCommands: true):
      if service != .patient { stopHolding() }
    case .idle, .connecting(holdsCommands: false), .proving, .waiting, .closed:
      break
    }
  }

  /// Fails the commands that wait for the attempt under way, which goes on without them.
  private func stopHolding() {
    guard queue.holdsCommands else { return }
    state = state == .starting ? .waiting : .connecting(holdsCommands: false)
    lastFailure = "the connection is being made again, which takes longer than commands may wait"
    queue.removeAll { command, _ in fail(command, with: .notConnected(reason: lastFailure)) }
  }

  /// Closes the connection if a command has had no reply for `timeout`. Called from outside for commands that have no
  /// deadline: those that nobody waits for, and those of a connection on which others may wait for ever.
  ///
  /// - Parameter sentAt: when it was sent, in nanoseconds of the loop's clock; the oldest one that is counted unless
  ///   given.
  public func expire(after timeout: Duration, sentAt: UInt64? = nil) {
    guard state == .ready, let sentAt = sentAt ?? queue.oldestSentAt,
      loop.now &- sentAt >= UInt64(max(0, timeout / .nanoseconds(1)))
    else { return }
    // When the loop itself was late, the reply is there and was only not read yet.
    let before = replyCount
    context?.readNow()
    guard state == .ready, replyCount == before else { return }
    verdict = (.commandTimedOut, "no reply within \(timeout)")
    if service != .patient { probation.commandTimedOut(at: loop.now) }
    context?.abort()
  }
}
