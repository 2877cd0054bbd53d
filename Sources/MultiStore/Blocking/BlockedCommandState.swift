/// The state machine of one blocked command: BLPOP and its relatives.
///
/// Each event method changes the state and returns what ``BlockedCommand`` has to do. A request to end the wait may
/// come in any state; a reply that nothing in flight can cause traps.
struct BlockedCommandState {
  /// The reason to end a wait before the command's timeout.
  enum Reason {
    /// The default store moves. The command is sent again, to the new default store.
    case move
    /// The wait is cancelled, whatever the stores do. The client gets nothing but nil.
    case cancellation
  }

  /// The progress of CLIENT UNBLOCK, which ends a wait on a store.
  enum Request: Equatable {
    /// To be sent again: the command had not reached the store yet, or is served already.
    case due
    /// In flight. A nil that arrives first is held: only the answer tells whether it is the command's timeout.
    case sent(heldNil: [UInt8]?)
    /// Answered with 1. The command's nil follows.
    case succeeded
  }

  /// The states, each with the data that exists only in it.
  enum State: Equatable {
    /// In flight between MULTI and EXEC on the shared connection, where it does not block, or being copied since it was
    /// served there. Flips wait for it. The wait that may follow ends at once for the reason `ending`.
    case trying(ending: Reason?)
    /// Blocked on the store. `isCancelled` if the store could not be asked to end the wait for a cancellation.
    case waiting(isCancelled: Bool)
    /// Blocked on a store that the default store leaves, or has left, and that could not end the wait: it hangs, is
    /// busy or can't be reached. No flip waits for the command. Its connection is closed once the default store has
    /// moved, since clients add no elements there any more.
    case stranded(isCancelled: Bool)
    /// Blocked on the store, which is asked to end the wait.
    case unblocking(Reason, Request)
    /// Unblocked for a move of the default store. Its nil is the client's reply if no time is left to wait.
    case parked(heldNil: [UInt8])
    /// Answered by the store; the effect is being copied. Flips wait for it.
    case copying
    /// Answered, and no longer among the blocked commands.
    case done
  }

  private(set) var state = State.waiting(isCancelled: false)
  /// Whether the store has not answered a CLIENT UNBLOCK, which it may execute at any time: a nil may be due to it.
  private var wasAskedInVain = false

  /// Whether a flip that moves the default store waits for this command.
  var isUnblocking: Bool {
    switch state {
    case .unblocking, .trying(ending: .some): true
    case .trying(ending: nil), .waiting, .stranded, .parked, .copying, .done: false
    }
  }

  /// Whether the command is to be sent to the new default store.
  var isParked: Bool { if case .parked = state { true } else { false } }

  /// Whether the wait is cancelled.
  var isCancelled: Bool {
    switch state {
    case .trying(let reason): reason == .cancellation
    case .waiting(let isCancelled), .stranded(let isCancelled): isCancelled
    case .unblocking(let reason, _): reason == .cancellation
    case .parked, .copying, .done: false
    }
  }

  /// Whether the store has answered, and nothing can end the wait any more.
  var isAnswered: Bool { state == .copying || state == .done }

  /// Whether the command waits on its store. If the default store has left that, it refuses to end the wait.
  var staysOnStore: Bool { if case .waiting = state { true } else { false } }

  /// Whether a flip that leaves the default store in place applies to the command's effect.
  var followsFlips: Bool {
    switch state {
    case .waiting, .trying(ending: nil): true
    case .trying(ending: .some), .stranded, .unblocking, .parked, .copying, .done: false
    }
  }

  /// Whether a nil may be due to CLIENT UNBLOCK, so that it goes to ``nilReceived(_:)``.
  var mayBeUnblocked: Bool {
    switch state {
    case .unblocking: true
    case .waiting(let isCancelled), .stranded(let isCancelled): wasAskedInVain && !isCancelled
    case .trying, .parked, .copying, .done: false
    }
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("a blocked command gets the event '\(event)' in the state \(state)")
  }
}

// MARK: The trial

extension BlockedCommandState {
  /// The step after a trial that found nothing. Unless it is `none`, flips no longer wait for the command.
  enum TrialAction { case none, wait, ask }

  /// The command was sent between MULTI and EXEC. Flips wait for it from now on.
  mutating func trialBegan() {
    guard state == .waiting(isCancelled: false) else { impossible("trial began") }
    state = .trying(ending: nil)
  }

  /// The trial found nothing, and answered the command with a nil, given as it is encoded for the client. A command
  /// whose wait would end at once does not begin to wait: until the store is asked, it could serve an element that the
  /// new default store has as well.
  ///
  /// - Returns: `none` if the command is to be sent over the client's own connection; ``trialEnded()`` follows.
  mutating func trialFoundNothing(_ heldNil: [UInt8]) -> UnblockAction {
    switch state {
    case .trying(ending: nil): return .none
    case .trying(ending: .some(let reason)): return unblocked(reason, heldNil)
    case .waiting, .stranded, .unblocking, .parked, .copying, .done: impossible("trial found nothing")
    }
  }

  /// The trial did not serve the command, which was sent over the client's own connection.
  mutating func trialEnded() -> TrialAction {
    switch state {
    case .trying(ending: nil):
      state = .waiting(isCancelled: false)
      return .wait
    case .trying(ending: .some(let reason)):
      state = .unblocking(reason, .sent(heldNil: nil))
      return .ask
    case .done: return .none  // that connection refused it
    case .waiting, .stranded, .unblocking, .parked, .copying: impossible("trial ended")
    }
  }
}

// MARK: Ending the wait

extension BlockedCommandState {
  /// The way to end a wait: nothing, ask the store (CLIENT UNBLOCK), or answer the client.
  enum EndAction: Equatable { case none, ask, answer([UInt8]) }

  /// The default store moves away from the store that the command waits on.
  mutating func unblock() -> EndAction {
    switch state {
    case .trying(ending: nil):
      state = .trying(ending: .move)
      return .none
    case .waiting(let isCancelled), .stranded(let isCancelled):
      state = .unblocking(isCancelled ? .cancellation : .move, .sent(heldNil: nil))
      return .ask
    case .trying, .unblocking, .parked, .copying, .done: return .none
    }
  }

  /// Cancels the wait.
  mutating func cancel() -> EndAction {
    switch state {
    case .trying:
      state = .trying(ending: .cancellation)
      return .none
    case .waiting(isCancelled: false), .stranded(isCancelled: false):
      state = .unblocking(.cancellation, .sent(heldNil: nil))
      return .ask
    case .unblocking(_, let request):
      state = .unblocking(.cancellation, request)
      return .none
    case .parked(let heldNil):
      state = .done
      return .answer(heldNil)
    case .waiting(isCancelled: true), .stranded(isCancelled: true), .copying, .done: return .none
    }
  }

  /// The step when the time of the next attempt has come.
  enum RetryAction { case none, ask, closeConnection }

  /// Asks again, since the store may have received the command meanwhile. If the store could not end the wait, the
  /// connection is closed, and the client gets an error.
  ///
  /// - Parameter hasLeft: whether the default store has moved away from the store, and no flip waits.
  mutating func retry(hasLeft: Bool) -> RetryAction {
    switch state {
    case .unblocking(let reason, .due):
      state = .unblocking(reason, .sent(heldNil: nil))
      return .ask
    case .stranded: return hasLeft ? .closeConnection : .none
    case .trying, .waiting, .unblocking, .parked, .copying, .done: return .none
    }
  }

  /// The step at the end of a flip: follow flips that do not move the default store again, or schedule
  /// ``retry(hasLeft:)``.
  enum FlipEndAction { case none, follow, retry }

  /// The flip is over. A command that its store could not unblock yet stays there if the default store does, unless it
  /// is cancelled. Otherwise the store is asked until it has answered.
  ///
  /// - Parameter hasLeft: whether the default store has moved away from the store.
  mutating func flipEnded(hasLeft: Bool) -> FlipEndAction {
    switch state {
    case .trying(ending: .move) where !hasLeft:
      state = .trying(ending: nil)
      return .follow
    case .unblocking(.move, .due) where !hasLeft:
      state = .waiting(isCancelled: false)
      return .follow
    case .stranded where hasLeft: return .retry
    case .stranded(let isCancelled):
      state = .waiting(isCancelled: isCancelled)
      return .follow
    case .trying, .waiting, .unblocking, .parked, .copying, .done: return .none
    }
  }
}

// MARK: Answers of the store

extension BlockedCommandState {
  /// The store's answer to CLIENT UNBLOCK.
  enum UnblockAnswer {
    /// 1: the wait is over, and the command is answered with nil.
    case unblocked
    /// 0: the command is not blocked.
    case notBlocked
    /// The store will not do it: its user may not, or it does not know the command or does not report the
    /// connection's identifier.
    case refused
    /// Another error, or none: the store hangs, is busy or can't be reached.
    case failed
  }

  /// The step once a nil, the answer to CLIENT UNBLOCK or both have arrived.
  enum UnblockAction: Equatable {
    case none
    /// Ask again soon.
    case askLater
    /// The command stays where it is.
    case wait(isCancelled: Bool)
    /// The flip does not wait for the command any more. Once it is over, schedule ``retry(hasLeft:)``.
    case strand(isCancelled: Bool)
    /// Send the command to the new default store when the flip is over.
    case park
    /// Answer the client. `isCancelled` if it would have waited for longer.
    case answer([UInt8], isCancelled: Bool)
  }

  /// The step after another reply than a held nil.
  enum ReplyAction { case copy, answer }

  /// The step when the execution has ended: nothing, release the flips that wait for it, or also leave the blocked
  /// commands.
  enum FinishAction { case none, releaseFlips, leaveAndReleaseFlips }

  /// The command was answered with nil, given as it is encoded for the client.
  mutating func nilReceived(_ heldNil: [UInt8]) -> UnblockAction {
    switch state {
    case .unblocking(let reason, .sent(heldNil: nil)):
      state = .unblocking(reason, .sent(heldNil: heldNil))
      return .none
    case .unblocking(.move, .due) where wasAskedInVain: return unblocked(.move, heldNil)
    case .unblocking(_, .due): return answer(heldNil, isCancelled: false)
    case .unblocking(let reason, .succeeded): return unblocked(reason, heldNil)
    // If it is the command's timeout, no time is left to wait.
    case .waiting(isCancelled: false) where wasAskedInVain, .stranded(isCancelled: false) where wasAskedInVain:
      return unblocked(.move, heldNil)
    case .trying, .waiting, .stranded, .unblocking(_, .sent(.some)), .parked, .copying, .done: impossible("nil")
    }
  }

  /// CLIENT UNBLOCK was answered, or could not be sent.
  ///
  /// - Parameter isLeaving: whether the default store has moved away from the store, or is about to.
  mutating func unblockAnswered(_ answer: UnblockAnswer, isLeaving: Bool) -> UnblockAction {
    if answer == .failed { wasAskedInVain = true }
    switch (state, answer) {
    case (.unblocking(let reason, .sent(heldNil: nil)), .unblocked):
      state = .unblocking(reason, .succeeded)
      return .none
    case (.unblocking(let reason, .sent(heldNil: nil)), .notBlocked) where isLeaving || reason == .cancellation:
      state = .unblocking(reason, .due)
      return .askLater
    case (.unblocking(let reason, .sent(heldNil: nil)), .failed) where isLeaving:
      state = .stranded(isCancelled: reason == .cancellation)
      return .strand(isCancelled: reason == .cancellation)
    case (.unblocking(let reason, .sent(heldNil: nil)), _):
      state = .waiting(isCancelled: reason == .cancellation)
      return .wait(isCancelled: reason == .cancellation)
    case (.unblocking(let reason, .sent(.some(let heldNil))), .unblocked): return unblocked(reason, heldNil)
    case (.unblocking(.move, .sent(.some(let heldNil))), _) where wasAskedInVain: return unblocked(.move, heldNil)
    case (.unblocking(_, .sent(.some(let heldNil))), _): return self.answer(heldNil, isCancelled: false)
    case (.copying, _), (.done, _): return .none  // an element, or the end of the connection, came first
    case (.trying, _), (.waiting, _), (.stranded, _), (.unblocking, _), (.parked, _):
      impossible("CLIENT UNBLOCK answered")
    }
  }

  /// The command was answered with an element, an error, or a nil that is its timeout.
  mutating func replyReceived(hasEffect: Bool) -> ReplyAction {
    switch state {
    case .waiting, .stranded, .unblocking(_, .due), .unblocking(_, .sent(heldNil: nil)), .unblocking(_, .succeeded):
      state = hasEffect ? .copying : .done
      return hasEffect ? .copy : .answer
    case .trying, .unblocking, .parked, .copying, .done: impossible("reply")
    }
  }

  /// The command could not be sent over the client's own connection, or the connection was lost.
  mutating func connectionFailed() {
    switch state {
    case .trying: return  // flips wait until the execution has ended
    case .waiting, .stranded, .unblocking(_, .due), .unblocking(_, .sent(heldNil: nil)), .unblocking(_, .succeeded):
      state = .done
    case .unblocking, .parked, .copying, .done: impossible("connection failed")
    }
  }

  /// The execution has ended.
  mutating func finished() -> FinishAction {
    defer { state = .done }
    switch state {
    case .trying: return .leaveAndReleaseFlips
    case .copying: return .releaseFlips
    case .done: return .none
    case .waiting, .stranded, .unblocking, .parked: impossible("finished")
    }
  }

  private mutating func unblocked(_ reason: Reason, _ heldNil: [UInt8]) -> UnblockAction {
    guard reason == .move else { return answer(heldNil, isCancelled: true) }
    state = .parked(heldNil: heldNil)
    return .park
  }

  private mutating func answer(_ heldNil: [UInt8], isCancelled: Bool) -> UnblockAction {
    state = .done
    return .answer(heldNil, isCancelled: isCancelled)
  }
}

// MARK: The new default store

extension BlockedCommandState {
  /// The step for a parked command.
  enum ResumeAction: Equatable { case send, answer([UInt8]) }

  /// The flip is over, and the command can be sent to the default store, unless its timeout has passed meanwhile.
  mutating func resume(hasTimeLeft: Bool) -> ResumeAction {
    guard case .parked(let heldNil) = state else { impossible("resume") }
    state = hasTimeLeft ? .waiting(isCancelled: false) : .done
    wasAskedInVain = false
    return hasTimeLeft ? .send : .answer(heldNil)
  }
}
