import Testing

@testable import Proxy

@Suite("The state machine of a session")
struct SessionStateTests {
  private typealias Life = SessionState.Life
  private typealias Lane = SessionState.Lane
  private typealias Hold = SessionState.Hold

  /// An event, with the inputs that matter.
  private enum Event: CaseIterable {
    case drain, clientEnded, close, disconnected, disconnectedWaiting, executionWasCancelled
    case commandForwarded, replyReceived, executionBegan, executionEnded
    case holdForFlip, holdForCongestion, releaseFromFlip, releaseFromCongestion
  }

  private static let lives: [(Life, [Event])] = [
    (.open, []),
    (.draining(hasEnded: false), [.drain]),
    (.draining(hasEnded: true), [.clientEnded]),
    (.closing(hasEnded: false), [.close]),
    (.closing(hasEnded: true), [.clientEnded, .close]),
    (.gone(executesInput: true), [.disconnected]),
    (.gone(executesInput: false), [.disconnectedWaiting]),
  ]

  private static let lanes: [(Lane, [Event])] = [
    (.idle, []),
    (.forwarding(1), [.commandForwarded]),
    (.forwarding(2), [.commandForwarded, .commandForwarded]),
    (.executing, [.executionBegan]),
  ]

  private static let holds: [(Hold?, [Event])] = [
    (nil, []), (.flip, [.holdForFlip]), (.congestion, [.holdForCongestion]),
  ]

  /// Holds a machine, which can't be copied as `#expect` would have it.
  private final class Machine {
    var state = SessionState()

    func outcome(isHeldUp: Bool = false, isBlocked: Bool = false) -> SessionState.OutputAction {
      state.outputWasSent(isHeldUp: isHeldUp, isBlocked: isBlocked)
    }

    func waitWasCancelled(_ isCancelled: Bool) -> Bool { state.waitWasCancelled(isCancelled) }

    func executionWasCancelled() -> Bool { state.executionWasCancelled() }
  }

  private static func apply(_ event: Event, to state: inout SessionState) {
    switch event {
    case .drain: state.drain()
    case .clientEnded: state.clientEnded()
    case .close: state.close()
    case .disconnected: state.disconnected(isWaiting: false)
    case .disconnectedWaiting: state.disconnected(isWaiting: true)
    case .executionWasCancelled: _ = state.executionWasCancelled()
    case .commandForwarded: state.commandForwarded()
    case .replyReceived: state.replyReceived()
    case .executionBegan: state.executionBegan()
    case .executionEnded: state.executionEnded()
    case .holdForFlip: state.hold(for: .flip)
    case .holdForCongestion: state.hold(for: .congestion)
    case .releaseFromFlip: state.release(from: .flip)
    case .releaseFromCongestion: state.release(from: .congestion)
    }
  }

  /// The life after an event; nil if the event traps. Events of the lane and of holds do not change it.
  private static func life(after event: Event, in life: Life) -> Life? {
    switch (event, life) {
    case (.drain, .open): .draining(hasEnded: false)
    case (.clientEnded, .open), (.clientEnded, .draining): .draining(hasEnded: true)
    case (.clientEnded, .closing): .closing(hasEnded: true)
    case (.clientEnded, .gone): nil
    case (.close, .open): .closing(hasEnded: false)
    case (.close, .draining(let hasEnded)): .closing(hasEnded: hasEnded)
    case (.close, .gone), (.executionWasCancelled, .gone): .gone(executesInput: false)
    case (.disconnected, .open), (.disconnected, .draining): .gone(executesInput: true)
    case (.disconnected, .closing), (.disconnectedWaiting, .open), (.disconnectedWaiting, .draining),
      (.disconnectedWaiting, .closing):
      .gone(executesInput: false)
    case (.disconnected, .gone), (.disconnectedWaiting, .gone): nil
    case (.executionWasCancelled, .draining(hasEnded: true)): .closing(hasEnded: true)
    default: life
    }
  }

  private static func lane(after event: Event, in lane: Lane) -> Lane? {
    switch (event, lane) {
    case (.commandForwarded, .idle): .forwarding(1)
    case (.commandForwarded, .forwarding(let count)): .forwarding(count + 1)
    case (.replyReceived, .forwarding(1)), (.executionEnded, .executing): .idle
    case (.replyReceived, .forwarding(let count)): .forwarding(count - 1)
    case (.executionBegan, .idle): .executing
    case (.commandForwarded, _), (.replyReceived, _), (.executionBegan, _), (.executionEnded, _): nil
    default: lane
    }
  }

  /// The hold after an event; the outer nil if the event traps.
  private static func hold(after event: Event, in hold: Hold?) -> Hold?? {
    switch (event, hold) {
    case (.holdForFlip, nil): .some(.flip)
    case (.holdForCongestion, nil): .some(.congestion)
    case (.releaseFromFlip, .flip), (.releaseFromCongestion, .congestion): .some(nil)
    case (.holdForFlip, _), (.holdForCongestion, _), (.releaseFromFlip, _), (.releaseFromCongestion, _): nil
    default: .some(hold)
    }
  }

  @Test func `changes in every state by every event as the tables say`() {
    for (life, toLife) in Self.lives {
      for (lane, toLane) in Self.lanes {
        for (hold, toHold) in Self.holds {
          for event in Event.allCases {
            // Those that trap are tested in processes of their own.
            guard let nextLife = Self.life(after: event, in: life), let nextLane = Self.lane(after: event, in: lane),
              let nextHold = Self.hold(after: event, in: hold)
            else { continue }
            var state = SessionState()
            for step in toLane + toHold + toLife { Self.apply(step, to: &state) }
            let isBefore = state.life == life && state.lane == lane && state.hold == hold
            #expect(isBefore, "\(life), \(lane), \(String(describing: hold)) is not reached")
            Self.apply(event, to: &state)
            let isAfter = state.life == nextLife && state.lane == nextLane && state.hold == nextHold
            #expect(isAfter, "\(event) in \(life), \(lane), \(String(describing: hold))")
          }
        }
      }
    }
  }

  @Test func `traps at events that cannot occur`() async {
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.replyReceived()
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.executionBegan()
      state.commandForwarded()
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.commandForwarded()
      state.executionBegan()
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.executionEnded()
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.hold(for: .flip)
      state.hold(for: .congestion)
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.hold(for: .flip)
      state.release(from: .login)
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.disconnected(isWaiting: false)
      state.disconnected(isWaiting: false)
    }
    await #expect(processExitsWith: .failure) {
      var state = SessionState()
      state.disconnected(isWaiting: false)
      state.clientEnded()
    }
  }

  @Test func `answers itself only when nothing is in flight or held`() {
    for (lane, toLane) in Self.lanes {
      for (hold, toHold) in Self.holds {
        var state = SessionState()
        for step in toLane + toHold { Self.apply(step, to: &state) }
        let (isQuiet, takesInput, inFlight) = (state.isQuiet, state.takesInput, state.inFlight)
        #expect(isQuiet == (lane == .idle && hold == nil))
        #expect(takesInput == (lane != .executing && hold == nil))
        #expect(inFlight == (lane == .forwarding(2) ? 2 : lane == .forwarding(1) ? 1 : 0))
      }
    }
  }

  @Test func `awaits replies of an open session's commands`() {
    for (life, toLife) in Self.lives {
      for (lane, toLane) in Self.lanes {
        var state = SessionState()
        for step in toLane + toLife { Self.apply(step, to: &state) }
        let awaitsReplies = state.awaitsReplies
        #expect(awaitsReplies == (life == .open && lane != .idle), "\(life), \(lane)")
      }
    }
  }

  @Test func `reads while it is open, and executes until it closes`() {
    for (life, toLife) in Self.lives {
      var state = SessionState()
      for step in toLife { Self.apply(step, to: &state) }
      let (mayRead, isGone, isClosing, takesInput) = (state.mayRead, state.isGone, state.isClosing, state.takesInput)
      #expect(mayRead == (life == .open))
      #expect(isGone == [.gone(executesInput: true), .gone(executesInput: false)].contains(life))
      let closes: [Life] = [.closing(hasEnded: false), .closing(hasEnded: true), .gone(executesInput: false)]
      #expect(isClosing == closes.contains(life) && takesInput == !isClosing)
    }
  }

  // MARK: The end of a turn

  @Test func `is released when the client is gone and nothing is in flight or held`() {
    for (life, toLife) in Self.lives {
      for (lane, toLane) in Self.lanes {
        for (hold, toHold) in Self.holds {
          let session = Machine()
          for step in toLane + toHold + toLife { Self.apply(step, to: &session.state) }
          let isGone = session.state.isGone
          let action = session.state.inputWasTaken()
          #expect(action == (!isGone ? .serve : lane == .idle && hold == nil ? .release : .wait), "\(life), \(lane)")
        }
      }
    }
  }

  @Test(arguments: [false, true], [false, true])
  func `closes when all that was read is executed and its replies are taken`(hasEnded: Bool, isHeldUp: Bool) {
    let session = Machine()
    session.state.commandForwarded()
    if hasEnded { session.state.clientEnded() } else { session.state.drain() }
    #expect(session.outcome(isHeldUp: isHeldUp) == .read, "a reply is missing")
    session.state.replyReceived()
    // A large reply that the client takes slowly holds up the commands behind it.
    #expect(session.outcome(isHeldUp: isHeldUp) == (isHeldUp ? .read : .close))
    session.state.hold(for: .flip)
    #expect(session.outcome(isHeldUp: isHeldUp) == .read, "a command waits for a flip")
    session.state.release(from: .flip)
    session.state.close()
    #expect(session.outcome(isHeldUp: isHeldUp) == .close)
  }

  @Test func `goes on while it is open, whatever is in flight`() {
    for (_, toLane) in Self.lanes {
      let session = Machine()
      for step in toLane { Self.apply(step, to: &session.state) }
      #expect(session.outcome(isBlocked: true) == .read && session.outcome(isHeldUp: true) == .read)
    }
  }

  @Test func `cancels a blocking command at shutdown, and executes what is behind it`() {
    let session = Machine()
    session.state.executionBegan()
    #expect(session.outcome(isBlocked: true) == .read)
    session.state.drain()
    #expect(session.outcome(isBlocked: false) == .read, "another execution is waited for")
    #expect(session.outcome(isBlocked: true) == .cancelWait)
    #expect(!session.waitWasCancelled(true) && !session.waitWasCancelled(false), "the client still waits for its reply")
    #expect(!session.executionWasCancelled())
    session.state.executionEnded()
    let takesInput = session.state.takesInput
    #expect(takesInput && session.outcome() == .close)
  }

  @Test func `executes nothing behind a blocking command of a client that has ended`() {
    let session = Machine()
    session.state.executionBegan()
    session.state.clientEnded()
    #expect(session.outcome(isBlocked: true) == .cancelWait)
    #expect(!session.waitWasCancelled(true), "its reply comes next")
    #expect(session.executionWasCancelled())
    let isClosing = session.state.isClosing
    #expect(isClosing && session.outcome(isBlocked: true) == .cancelWait && session.waitWasCancelled(true))
    session.state.executionEnded()
    let takesInput = session.state.takesInput
    #expect(!takesInput && session.outcome() == .close)
  }

  @Test func `closes at once if the wait of a client that has ended cannot be cancelled`() {
    let session = Machine()
    session.state.executionBegan()
    session.state.clientEnded()
    #expect(session.waitWasCancelled(false), "an element must not be popped for it")
  }

  @Test func `closes at once if a client ends whose wait was to be cancelled at shutdown`() {
    let session = Machine()
    session.state.executionBegan()
    session.state.drain()
    #expect(!session.waitWasCancelled(false))
    session.state.clientEnded()
    session.state.drain()
    #expect(session.waitWasCancelled(false))
  }

  @Test(arguments: [false, true])
  func `executes what a client has sent that is cut off, unless it waits for others`(isWaiting: Bool) {
    let session = Machine()
    session.state.commandForwarded()
    session.state.disconnected(isWaiting: isWaiting)
    let (isClosing, beforeReply) = (session.state.isClosing, session.state.inputWasTaken())
    #expect(isClosing == isWaiting && beforeReply == .wait)
    session.state.replyReceived()
    let (takesInput, afterReply) = (session.state.takesInput, session.state.inputWasTaken())
    #expect(takesInput == !isWaiting && afterReply == .release)
  }

  @Test func `drops what a client has sent behind QUIT, also when it is cut off`() {
    let session = Machine()
    session.state.disconnected(isWaiting: false)
    session.state.close()
    let takesInput = session.state.takesInput
    #expect(!takesInput)
  }

  @Test func `shutdown changes nothing for a session that closes or is gone`() {
    for event in [Event.close, .disconnected, .clientEnded] {
      let session = Machine()
      Self.apply(event, to: &session.state)
      let before = session.state.life
      session.state.drain()
      let after = session.state.life
      #expect(before == after)
    }
  }
}
