internal import EventLoop

/// Commands that wait too long: for their replies, or for an attempt to connect.
extension HiredisConnection {
  /// The time that a command may go without a reply; nil for no limit.
  public var commandTimeout: Duration? { deadline.timeout }

  /// Sets the deadline of the oldest command in flight.
  func setDeadline() {
    guard deadline.timeout != nil, let sentAt = queue.oldestSentAt,
      let delay = deadline.set(forCommandSentAt: sentAt, at: loop.now)
    else { return }
    deadlineTimer?.schedule(after: delay)
  }

  /// Sets the deadline of the commands that wait for an attempt to connect, the first of which begins to wait now.
  func setHoldDeadline() {
    guard service != .patient, let delay = deadline.setForHeldCommand() else { return }
    deadlineTimer?.schedule(after: delay)
  }

  /// Restarts the deadline after a change of the time that commands may wait.
  func restartDeadline() {
    if machine.isReady {
      setDeadline()
    } else if machine.takesCommands, queue.holdsCommands {
      setHoldDeadline()
    }
  }

  /// Whether a command is in flight that is known to take long, so that those that are sent now have to wait.
  public var hasLongCommand: Bool { deadline.hasLongCommand }

  /// Gives the server more time: a command that is in flight, or is sent next, may take `allowance` to be executed.
  /// ``longCommandEnded()`` has to follow, whether it is answered or fails.
  public func longCommandBegan(allowance: Duration) {
    loop.preconditionOnLoop()
    deadline.longCommandBegan(allowance: allowance, at: loop.now)
  }

  /// Takes back the time that a long command has left.
  public func longCommandEnded() {
    loop.preconditionOnLoop()
    deadline.longCommandEnded(at: loop.now)
    guard machine.isReady, deadline.isSet else { return }
    deadline.clear()
    setDeadline()
  }

  func deadlineTimerFired() {
    deadline.clear()
    if machine.isReady {
      if let commandTimeout { expire(after: commandTimeout) }
      if machine.isReady { setDeadline() }
    } else if machine.takesCommands, queue.holdsCommands {
      perform(machine.holdDeadlinePassed())
    }
  }

  /// Closes the connection if a command has had no reply for `timeout`. To be called for commands without a deadline:
  /// those that do not count, those of a connection on which commands may wait for ever, and those that were pushed.
  ///
  /// - Parameters:
  ///   - timeout: the time that the command may go without a reply.
  ///   - sentAt: the time when it was sent, in nanoseconds of the loop's clock; that of the oldest command that counts
  ///     unless given.
  public func expire(after timeout: Duration, sentAt: UInt64? = nil) {
    guard machine.isReady, let sentAt = sentAt ?? queue.oldestSentAt,
      deadline.isOver(timeout, sentAt: sentAt, at: loop.now)
    else { return }
    // If the loop itself was late, the reply may have arrived without being read.
    let before = replyCount
    context?.readNow()
    guard machine.isReady, replyCount == before else { return }
    context?.abort(.abandoned(.commandTimedOut, detail: "no reply within \(timeout)"))
  }
}
