internal import Testing

@testable internal import MultiStore

@Suite("The state machine of a blocked command")
struct BlockedCommandStateTests {
  private typealias State = BlockedCommandState.State

  /// An event, with the inputs that matter: whether the default store leaves the command's store, or has left it.
  private enum Event: CaseIterable {
    case trialBegan, trialFoundNothing, trialEnded
    case unblock, cancel, retry, retryAfterMove, flipEnded, moveEnded
    case nilReceived, unblocked, refused
    case notBlocked, notBlockedDuringMove, failed, failedDuringMove
    case effectReceived, replyReceived, connectionFailed, finished
    case resumeInTime, resumeTooLate
  }

  private static let heldNil = Array("*-1\r\n".utf8)
  private static let laterNil = Array("$-1\r\n".utf8)

  /// The states, and the events that lead to each from the start.
  private static let states: [(State, [Event])] = [
    (.waiting(isCancelled: false), []),
    (.waiting(isCancelled: true), [.cancel, .failed]),
    (.stranded(isCancelled: false), [.unblock, .failedDuringMove]),
    (.stranded(isCancelled: true), [.cancel, .failedDuringMove]),
    (.trying(ending: nil), [.trialBegan]),
    (.trying(ending: .move), [.trialBegan, .unblock]),
    (.trying(ending: .cancellation), [.trialBegan, .cancel]),
    (.unblocking(.move, .sent(heldNil: nil)), [.unblock]),
    (.unblocking(.move, .sent(heldNil: heldNil)), [.unblock, .nilReceived]),
    (.unblocking(.move, .due), [.unblock, .notBlockedDuringMove]),
    (.unblocking(.move, .succeeded), [.unblock, .unblocked]),
    (.unblocking(.cancellation, .sent(heldNil: nil)), [.cancel]),
    (.unblocking(.cancellation, .sent(heldNil: heldNil)), [.cancel, .nilReceived]),
    (.unblocking(.cancellation, .due), [.cancel, .notBlocked]),
    (.unblocking(.cancellation, .succeeded), [.cancel, .unblocked]),
    (.parked(heldNil: heldNil), [.unblock, .unblocked, .nilReceived]),
    (.copying, [.effectReceived]),
    (.done, [.replyReceived]),
  ]

  /// The outcome of each event in each state: the state after it and the action. An event that is not listed traps.
  private static func outcomes(of state: State) -> [Event: (State, String)] {
    switch state {
    case .waiting(let isCancelled):
      var outcomes = Self.outcomes(blocked: state, isCancelled: isCancelled)
      outcomes[.retryAfterMove] = (state, "none")
      outcomes[.flipEnded] = (state, "none")
      outcomes[.moveEnded] = (state, "none")
      if !isCancelled { outcomes[.trialBegan] = (.trying(ending: nil), "()") }
      return outcomes
    case .stranded(let isCancelled):
      var outcomes = Self.outcomes(blocked: state, isCancelled: isCancelled)
      outcomes[.retryAfterMove] = (state, "closeConnection")
      if !isCancelled { outcomes[.nilReceived] = ended(.move, heldNil) }
      outcomes[.flipEnded] = (.waiting(isCancelled: isCancelled), "follow")
      outcomes[.moveEnded] = (state, "retry")
      return outcomes
    case .trying(let reason):
      let unblocked = reason ?? .move
      let foundNothing: (State, String) = reason.map { ended($0, heldNil) } ?? (state, "none")
      let flipEnded: (State, String) = reason == .move ? (.trying(ending: nil), "follow") : (state, "none")
      return [
        .trialFoundNothing: foundNothing,
        .trialEnded: reason.map { (.unblocking($0, .sent(heldNil: nil)), "ask") }
          ?? (.waiting(isCancelled: false), "wait"),
        .unblock: (.trying(ending: unblocked), "none"), .cancel: (.trying(ending: .cancellation), "none"),
        .retry: (state, "none"), .retryAfterMove: (state, "none"),
        .flipEnded: flipEnded, .moveEnded: (state, "none"),
        .connectionFailed: (state, "()"), .finished: (.done, "leaveAndReleaseFlips"),
      ]
    case .unblocking(let reason, let request): return outcomes(unblocking: reason, request)
    case .parked:
      return [
        .unblock: (state, "none"), .cancel: (.done, "answer(\(heldNil))"), .retry: (state, "none"),
        .retryAfterMove: (state, "none"), .flipEnded: (state, "none"), .moveEnded: (state, "none"),
        .resumeInTime: (.waiting(isCancelled: false), "send"), .resumeTooLate: (.done, "answer(\(heldNil))"),
      ]
    case .copying, .done:
      let ignored: [Event] = [
        .unblock, .cancel, .retry, .retryAfterMove, .flipEnded, .moveEnded, .unblocked, .refused, .notBlocked,
        .notBlockedDuringMove, .failed, .failedDuringMove,
      ]
      var outcomes: [Event: (State, String)] = [:]
      for event in ignored { outcomes[event] = (state, "none") }
      outcomes[.finished] = (.done, state == .copying ? "releaseFlips" : "none")
      if state == .done { outcomes[.trialEnded] = (.done, "none") }
      return outcomes
    }
  }

  /// The outcomes that ``State/waiting(isCancelled:)`` and ``State/stranded(isCancelled:)`` have in common.
  private static func outcomes(blocked state: State, isCancelled: Bool) -> [Event: (State, String)] {
    let reason: BlockedCommandState.Reason = isCancelled ? .cancellation : .move
    return [
      .unblock: (.unblocking(reason, .sent(heldNil: nil)), "ask"),
      .cancel: isCancelled ? (state, "none") : (.unblocking(.cancellation, .sent(heldNil: nil)), "ask"),
      .retry: (state, "none"), .effectReceived: (.copying, "copy"), .replyReceived: (.done, "answer"),
      .connectionFailed: (.done, "()"),
    ]
  }

  /// The outcome of a nil that is due to the end of the wait.
  private static func ended(_ reason: BlockedCommandState.Reason, _ held: [UInt8]) -> (State, String) {
    reason == .cancellation ? (.done, "answer(\(held), isCancelled: true)") : (.parked(heldNil: held), "park")
  }

  private static func outcomes(
    unblocking reason: BlockedCommandState.Reason,
    _ request: BlockedCommandState.Request
  ) -> [Event: (State, String)] {
    let state = State.unblocking(reason, request)
    let isCancelled = reason == .cancellation
    let retried: (State, String) =
      request == .due ? (.unblocking(reason, .sent(heldNil: nil)), "ask") : (state, "none")
    let flipEnded: (State, String) =
      state == .unblocking(.move, .due) ? (.waiting(isCancelled: false), "follow") : (state, "none")
    var outcomes: [Event: (State, String)] = [
      .unblock: (state, "none"), .cancel: (.unblocking(.cancellation, request), "none"),
      .retry: retried, .retryAfterMove: retried, .flipEnded: flipEnded, .moveEnded: (state, "none"),
    ]
    func timedOut(_ held: [UInt8]) -> (State, String) { (.done, "answer(\(held), isCancelled: false)") }
    if request != .sent(heldNil: heldNil) {
      outcomes[.effectReceived] = (.copying, "copy")
      outcomes[.replyReceived] = (.done, "answer")
      outcomes[.connectionFailed] = (.done, "()")
    }
    switch request {
    case .due: outcomes[.nilReceived] = timedOut(heldNil)
    case .succeeded: outcomes[.nilReceived] = ended(reason, heldNil)
    case .sent(heldNil: nil):
      let stays: (State, String) = (.waiting(isCancelled: isCancelled), "wait(isCancelled: \(isCancelled))")
      let isDue: (State, String) = (.unblocking(reason, .due), "askLater")
      outcomes[.nilReceived] = (.unblocking(reason, .sent(heldNil: heldNil)), "none")
      outcomes[.unblocked] = (.unblocking(reason, .succeeded), "none")
      outcomes[.notBlocked] = isCancelled ? isDue : stays
      outcomes[.notBlockedDuringMove] = isDue
      outcomes[.refused] = stays
      outcomes[.failed] = stays
      outcomes[.failedDuringMove] = (.stranded(isCancelled: isCancelled), "strand(isCancelled: \(isCancelled))")
    case .sent(.some(let held)):
      outcomes[.unblocked] = ended(reason, held)
      for event in [Event.notBlocked, .notBlockedDuringMove, .refused] { outcomes[event] = timedOut(held) }
      // The nil may be due to the request, of which only the answer was lost.
      for event in [Event.failed, .failedDuringMove] {
        outcomes[event] = isCancelled ? timedOut(held) : ended(.move, held)
      }
    }
    return outcomes
  }

  private static func apply(_ event: Event, to machine: inout BlockedCommandState) -> String {
    switch event {
    case .trialBegan: "\(machine.trialBegan())"
    case .trialFoundNothing: "\(machine.trialFoundNothing(heldNil))"
    case .trialEnded: "\(machine.trialEnded())"
    case .unblock: "\(machine.unblock())"
    case .cancel: "\(machine.cancel())"
    case .retry: "\(machine.retry(hasLeft: false))"
    case .retryAfterMove: "\(machine.retry(hasLeft: true))"
    case .flipEnded: "\(machine.flipEnded(hasLeft: false))"
    case .moveEnded: "\(machine.flipEnded(hasLeft: true))"
    case .nilReceived: "\(machine.nilReceived(heldNil))"
    case .unblocked: "\(machine.unblockAnswered(.unblocked, isLeaving: true))"
    case .refused: "\(machine.unblockAnswered(.refused, isLeaving: true))"
    case .notBlocked: "\(machine.unblockAnswered(.notBlocked, isLeaving: false))"
    case .notBlockedDuringMove: "\(machine.unblockAnswered(.notBlocked, isLeaving: true))"
    case .failed: "\(machine.unblockAnswered(.failed, isLeaving: false))"
    case .failedDuringMove: "\(machine.unblockAnswered(.failed, isLeaving: true))"
    case .effectReceived: "\(machine.replyReceived(hasEffect: true))"
    case .replyReceived: "\(machine.replyReceived(hasEffect: false))"
    case .connectionFailed: "\(machine.connectionFailed())"
    case .finished: "\(machine.finished())"
    case .resumeInTime: "\(machine.resume(hasTimeLeft: true))"
    case .resumeTooLate: "\(machine.resume(hasTimeLeft: false))"
    }
  }

  private static func machine(after events: [Event]) -> BlockedCommandState {
    var machine = BlockedCommandState()
    for event in events { _ = apply(event, to: &machine) }
    return machine
  }

  /// Positions in ``states`` and in the events, of what must not happen.
  private static let impossible: [(state: Int, event: Int)] = states.indices.flatMap { state in
    Event.allCases.indices.filter { outcomes(of: states[state].0)[Event.allCases[$0]] == nil }.map { (state, $0) }
  }

  @Test("Every event leads from every state where the table says")
  func transitions() {
    for (state, path) in Self.states {
      #expect(Self.machine(after: path).state == state)
      for (event, (next, action)) in Self.outcomes(of: state) {
        var machine = Self.machine(after: path)
        #expect(Self.apply(event, to: &machine) == action, "\(event) in \(state)")
        #expect(machine.state == next, "\(event) in \(state)")
      }
    }
  }

  @Test("An event that nothing in flight can cause traps, and names itself and the state", arguments: impossible)
  func traps(state: Int, event: Int) async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { [state, event] in
      var machine = Self.machine(after: Self.states[state].1)
      _ = Self.apply(Event.allCases[event], to: &machine)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains("in the state \(Self.states[state].0)"), "\(text)")
  }

  @Test("What others ask of a state")
  func questions() {
    for (state, path) in Self.states {
      let machine = Self.machine(after: path)
      let (isUnblocking, isCancelled): (Bool, Bool) =
        switch state {
        case .unblocking(let reason, _): (true, reason == .cancellation)
        case .trying(let reason): (reason != nil, reason == .cancellation)
        case .waiting(let isCancelled), .stranded(let isCancelled): (false, isCancelled)
        case .parked, .copying, .done: (false, false)
        }
      #expect(machine.isUnblocking == isUnblocking, "\(state)")
      #expect(machine.isCancelled == isCancelled, "\(state)")
    }
  }

  /// The store may execute a CLIENT UNBLOCK that it has not answered at any time.
  @Test("A nil after a request in vain does not end the wait")
  func nilOfLateRequest() {
    for path in [[Event.unblock, .failed], [.unblock, .failedDuringMove, .flipEnded]] {
      var machine = Self.machine(after: path)
      #expect(machine.state == .waiting(isCancelled: false) && machine.mayBeUnblocked)
      #expect(machine.nilReceived(Self.heldNil) == .park)
      #expect(machine.resume(hasTimeLeft: true) == .send)
      #expect(!machine.mayBeUnblocked, "the next nil is the timeout, or another's request")
    }
    for path in [[Event](), [.cancel, .failed], [.unblock, .refused]] {
      #expect(!Self.machine(after: path).mayBeUnblocked, "\(path)")
    }
  }

  @Test("The nil that ends the last wait is the one that is answered")
  func lastNil() {
    var machine = Self.machine(after: [.unblock, .unblocked, .nilReceived, .resumeInTime, .unblock, .unblocked])
    #expect(machine.nilReceived(Self.laterNil) == .park)
    #expect(machine.resume(hasTimeLeft: false) == .answer(Self.laterNil))
  }
}
