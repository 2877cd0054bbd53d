/// The state machine of a session.
///
/// Three things change at their own events: the session's *life*, from its first command to the end of its connection;
/// its *lane*, which has the commands in flight; and the *hold* that keeps the next command in the input for another
/// reason than those. A hold may begin while commands are in flight, and a client may disconnect during either.
///
/// Each event method changes the state, and returns what ``Session`` has to do where that depends on the state. An
/// event that cannot occur in a state traps.
struct SessionState: ~Copyable {
  /// Whether commands are read, executed and answered.
  enum Life: Equatable {
    /// Commands are read and executed.
    case open
    /// Nothing more is read, because the sidecar shuts down or the client has reached the end of its input
    /// (`hasEnded`). The commands that were read are executed, and then the connection is closed.
    case draining(hasEnded: Bool)
    /// No further command is executed. The connection is closed when the replies are out.
    case closing(hasEnded: Bool)
    /// The connection is closed. As on a server, the commands that were read before are still executed, unless
    /// `executesInput` is false.
    case gone(executesInput: Bool)
  }

  /// The commands in flight.
  enum Lane: Equatable {
    case idle
    /// Forwarded commands without a reply yet, at least one, all over one connection.
    case forwarding(Int)
    /// One execution; no other command is in flight.
    case executing
  }

  /// The reason why the next command stays in the input, whatever the lane does.
  enum Hold: Equatable {
    /// A change of the flags waits for executions.
    case flip
    /// The connection of a large command is congested.
    case congestion
    /// Other clients' large commands are executed by both stores.
    case largeWrites
    /// A login waits because others from the same network had a wrong password.
    case login
    /// A client has paused the instance's clients.
    case pause
  }

  private(set) var life = Life.open
  private(set) var lane = Lane.idle
  private(set) var hold: Hold?

  /// Whether nothing is in flight or held, so that the session's own answer is the next in order.
  @inline(__always)
  var isQuiet: Bool { if case .idle = lane { hold == nil } else { false } }

  @inline(__always)
  var isExecuting: Bool { if case .executing = lane { true } else { false } }

  @inline(__always)
  var isHeld: Bool { hold != nil }

  /// Whether the next command waits for the end of a pause.
  var isPaused: Bool { hold == .pause }

  /// The number of forwarded commands without a reply.
  @inline(__always)
  var inFlight: Int { if case .forwarding(let count) = lane { count } else { 0 } }

  /// Whether commands of a client that is served are in flight.
  @inline(__always)
  var awaitsReplies: Bool {
    guard case .open = life else { return false }
    if case .idle = lane { return false }
    return true
  }

  /// Whether the connection is closed, so that no client waits for replies.
  @inline(__always)
  var isGone: Bool { if case .gone = life { true } else { false } }

  /// Whether no further command is executed.
  @inline(__always)
  var isClosing: Bool {
    switch life {
    case .open, .draining, .gone(executesInput: true): false
    case .closing, .gone(executesInput: false): true
    }
  }

  /// Whether commands may be taken from the input at the end of a turn.
  @inline(__always)
  var takesInput: Bool { !isExecuting && hold == nil && !isClosing }

  private func impossible(_ event: StaticString) -> Never {
    let hold = hold.map { "\($0)" } ?? "nothing"
    preconditionFailure("a session gets the event '\(event)' in the state \(life), \(lane), held by \(hold)")
  }
}

// MARK: Life

extension SessionState {
  /// Records that the sidecar shuts down.
  mutating func drain() {
    if life == .open { life = .draining(hasEnded: false) }
  }

  /// Records that the client has reached the end of its input; it may still wait for replies.
  mutating func clientEnded() {
    switch life {
    case .open, .draining: life = .draining(hasEnded: true)
    case .closing: life = .closing(hasEnded: true)
    case .gone: impossible("end of input")
    }
  }

  /// Records that no further command is to be executed.
  mutating func close() {
    switch life {
    case .open: life = .closing(hasEnded: false)
    case .draining(let hasEnded): life = .closing(hasEnded: hasEnded)
    case .closing: break
    case .gone: life = .gone(executesInput: false)
    }
  }

  /// Records that the connection was closed.
  ///
  /// - Parameter isWaiting: Whether the client waits for others: in a blocking command, or subscribed. The commands
  ///   behind that are not executed.
  mutating func disconnected(isWaiting: Bool) {
    switch life {
    case .open, .draining: life = .gone(executesInput: !isWaiting)
    case .closing: life = .gone(executesInput: false)
    case .gone: impossible("disconnect")
    }
  }
}

// MARK: Lane

extension SessionState {
  /// Records a forwarded command.
  @inline(__always)
  mutating func commandForwarded() {
    switch lane {
    case .idle: lane = .forwarding(1)
    case .forwarding(let count): lane = .forwarding(count + 1)
    case .executing: impossible("command forwarded")
    }
  }

  /// Records that a forwarded command was answered, or has failed.
  @inline(__always)
  mutating func replyReceived() {
    guard case .forwarding(let count) = lane else { impossible("reply received") }
    lane = count == 1 ? .idle : .forwarding(count - 1)
  }

  /// Records the beginning of an execution.
  @inline(__always)
  mutating func executionBegan() {
    guard case .idle = lane else { impossible("execution began") }
    lane = .executing
  }

  /// Records that all replies of the execution have arrived.
  @inline(__always)
  mutating func executionEnded() {
    guard case .executing = lane else { impossible("execution ended") }
    lane = .idle
  }
}

// MARK: Hold

extension SessionState {
  /// Holds the next command for another reason than the commands before it.
  mutating func hold(for reason: Hold) {
    guard hold == nil else { impossible("hold") }
    hold = reason
  }

  /// Ends the hold.
  mutating func release(from reason: Hold) {
    guard hold == reason else { impossible("release") }
    hold = nil
  }
}

// MARK: The end of a turn

extension SessionState {
  /// The next step once all possible commands were taken.
  enum InputAction: Equatable {
    /// Send the replies.
    case serve
    /// Nothing: the client is gone, and its commands are still executed.
    case wait
    /// Release the session.
    case release
  }

  /// The next step once the replies were sent.
  enum OutputAction: Equatable {
    /// Read more, if there is room.
    case read
    /// Close the connection when the replies are out.
    case close
    /// Cancel the blocking command, then call ``waitWasCancelled(_:)``.
    case cancelWait
  }

  /// Returns the next step once all possible commands were taken.
  @inline(__always)
  func inputWasTaken() -> InputAction {
    guard isGone else { return .serve }
    return isQuiet ? .release : .wait
  }

  /// Returns the next step once the replies were sent.
  ///
  /// - Parameters:
  ///   - isHeldUp: Whether input remains because the client does not take its replies.
  ///   - isBlocked: Whether a blocking command waits for others.
  @inline(__always)
  func outputWasSent(isHeldUp: Bool, isBlocked: @autoclosure () -> Bool) -> OutputAction {
    switch life {
    case .open, .gone: return .read
    case .draining:
      if isQuiet { return isHeldUp ? .read : .close }
      return isBlocked() ? .cancelWait : .read
    case .closing(let hasEnded):
      if isQuiet { return .close }
      return hasEnded && isBlocked() ? .cancelWait : .read
    }
  }

  /// Records that the blocking command was cancelled, or could not be.
  ///
  /// - Returns: whether to close the connection: the client has ended, and nothing must be popped for it.
  func waitWasCancelled(_ isCancelled: Bool) -> Bool {
    switch life {
    case .draining(hasEnded: true): !isCancelled
    case .closing(hasEnded: true): true
    case .open, .draining(hasEnded: false), .closing(hasEnded: false), .gone: false
    }
  }

  /// Records that the blocking command was cancelled, or that its store can't cancel it.
  ///
  /// - Returns: whether the session closes: a client that has ended while it waited is gone, and the commands behind
  ///   that one are not executed.
  mutating func executionWasCancelled() -> Bool {
    switch life {
    case .open, .draining(hasEnded: false), .closing(hasEnded: false): return false
    case .draining(hasEnded: true), .closing(hasEnded: true):
      life = .closing(hasEnded: true)
      return true
    case .gone:
      life = .gone(executesInput: false)
      return true
    }
  }

  /// Whether the session's life permits the client to be read.
  @inline(__always)
  var mayRead: Bool { if case .open = life { true } else { false } }
}
