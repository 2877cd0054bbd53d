internal import Testing

@testable internal import MultiStore

@Suite("The state machine of a blocked command")
struct BlockedCommandStateTests {
  private typealias State = BlockedCommandState.State

  /// An event, with the inputs that matter.
  private enum Event: CaseIterable {
    case trialBegan, trialEnded
    case unblock, cancel, retry, flipEnded
    case nilReceived, unblocked, notBlocked, unanswered
    case effectReceived, replyReceived, connectionFailed, finished
    case resumeInTime, resumeTooLate
  }

  private static let heldNil = Array("*-1\r\n".utf8)
  private static let laterNil = Array("$-1\r\n".utf8)

  /// The states, and the events that lead to each from the start.
  private static let states: [(State, [Event])] = [
    (.waiting(isCancelled: false), []),
    (.waiting(isCancelled: true), [.cancel, .unanswered]),
    (.trying(ending: nil), [.trialBegan]),
    (.trying(ending: .move), [.trialBegan, .unblock]),
    (.trying(ending: .cancellation), [.trialBegan, .cancel]),
    (.unblocking(.move, .sent(heldNil: nil)), [.unblock]),
    (.unblocking(.move, .sent(heldNil: heldNil)), [.unblock, .nilReceived]),
    (.unblocking(.move, .due), [.unblock, .notBlocked]),
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
      let reason: BlockedCommandState.Reason = isCancelled ? .cancellation : .move
      let cancelled: (State, String) =
        isCancelled ? (state, "none") : (.unblocking(.cancellation, .sent(heldNil: nil)), "ask")
      var outcomes: [Event: (State, String)] = [
        .unblock: (.unblocking(reason, .sent(heldNil: nil)), "ask"), .cancel: cancelled,
        .retry: (state, "none"), .flipEnded: (state, "false"),
        .effectReceived: (.copying, "copy"), .replyReceived: (.done, "answer"), .connectionFailed: (.done, "()"),
      ]
      if !isCancelled { outcomes[.trialBegan] = (.trying(ending: nil), "()") }
      return outcomes
    case .trying(let reason):
      let unblocked = reason ?? .move
      return [
        .trialEnded: reason.map { (.unblocking($0, .sent(heldNil: nil)), "ask") }
          ?? (.waiting(isCancelled: false), "wait"),
        .unblock: (.trying(ending: unblocked), "none"), .cancel: (.trying(ending: .cancellation), "none"),
        .retry: (state, "none"),
        .flipEnded: reason == .move ? (.trying(ending: nil), "true") : (state, "false"),
        .connectionFailed: (state, "()"), .finished: (.done, "leaveAndReleaseFlips"),
      ]
    case .unblocking(let reason, let request): return outcomes(unblocking: reason, request)
    case .parked:
      return [
        .unblock: (state, "none"), .cancel: (.done, "answer(\(heldNil))"), .retry: (state, "none"),
        .flipEnded: (state, "false"), .resumeInTime: (.waiting(isCancelled: false), "send"),
        .resumeTooLate: (.done, "answer(\(heldNil))"),
      ]
    case .copying, .done:
      var outcomes: [Event: (State, String)] = [
        .unblock: (state, "none"), .cancel: (state, "none"), .retry: (state, "none"), .flipEnded: (state, "false"),
        .unblocked: (state, "none"), .notBlocked: (state, "none"), .unanswered: (state, "none"),
        .finished: (.done, state == .copying ? "releaseFlips" : "none"),
      ]
      if state == .done { outcomes[.trialEnded] = (.done, "none") }
      return outcomes
    }
  }

  private static func outcomes(
    unblocking reason: BlockedCommandState.Reason,
    _ request: BlockedCommandState.Request
  ) -> [Event: (State, String)] {
    let state = State.unblocking(reason, request)
    let isCancelled = reason == .cancellation
    var outcomes: [Event: (State, String)] = [
      .unblock: (state, "none"), .cancel: (.unblocking(.cancellation, request), "none"),
      .retry: request == .due ? (.unblocking(reason, .sent(heldNil: nil)), "ask") : (state, "none"),
      .flipEnded: state == .unblocking(.move, .due) ? (.waiting(isCancelled: false), "true") : (state, "false"),
    ]
    func unblocked(_ held: [UInt8]) -> (State, String) {
      isCancelled ? (.done, "answer(\(held), isCancelled: true)") : (.parked(heldNil: held), "park")
    }
    func timedOut(_ held: [UInt8]) -> (State, String) { (.done, "answer(\(held), isCancelled: false)") }
    if request != .sent(heldNil: heldNil) {
      outcomes[.effectReceived] = (.copying, "copy")
      outcomes[.replyReceived] = (.done, "answer")
      outcomes[.connectionFailed] = (.done, "()")
    }
    switch request {
    case .due: outcomes[.nilReceived] = timedOut(heldNil)
    case .succeeded: outcomes[.nilReceived] = unblocked(heldNil)
    case .sent(heldNil: nil):
      outcomes[.nilReceived] = (.unblocking(reason, .sent(heldNil: heldNil)), "none")
      outcomes[.unblocked] = (.unblocking(reason, .succeeded), "none")
      outcomes[.notBlocked] = (.unblocking(reason, .due), "askLater")
      outcomes[.unanswered] = (.waiting(isCancelled: isCancelled), "wait(isCancelled: \(isCancelled))")
    case .sent(.some(let held)):
      outcomes[.unblocked] = unblocked(held)
      outcomes[.notBlocked] = timedOut(held)
      outcomes[.unanswered] = timedOut(held)
    }
    return outcomes
  }

  private static func apply(_ event: Event, to machine: inout BlockedCommandState) -> String {
    switch event {
    case .trialBegan: "\(machine.trialBegan())"
    case .trialEnded: "\(machine.trialEnded())"
    case .unblock: "\(machine.unblock())"
    case .cancel: "\(machine.cancel())"
    case .retry: "\(machine.retry())"
    case .flipEnded: "\(machine.flipEnded())"
    case .nilReceived: "\(machine.nilReceived(heldNil))"
    case .unblocked: "\(machine.unblockAnswered(.unblocked))"
    case .notBlocked: "\(machine.unblockAnswered(.notBlocked))"
    case .unanswered: "\(machine.unblockAnswered(.unanswered))"
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
        case .waiting(let isCancelled): (false, isCancelled)
        case .parked, .copying, .done: (false, false)
        }
      #expect(machine.isUnblocking == isUnblocking, "\(state)")
      #expect(machine.isCancelled == isCancelled, "\(state)")
    }
  }

  @Test("The nil that ends the last wait is the one that is answered")
  func lastNil() {
    var machine = Self.machine(after: [.unblock, .unblocked, .nilReceived, .resumeInTime, .unblock, .unblocked])
    #expect(machine.nilReceived(Self.laterNil) == .park)
    #expect(machine.resume(hasTimeLeft: false) == .answer(Self.laterNil))
  }
}
