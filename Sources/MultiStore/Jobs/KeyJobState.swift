/// A condition that a job waits for; it goes on by itself. Raw values appear in reports.
public enum KeyJobObstacle: String, Sendable, CaseIterable {
  /// A flip is in progress.
  case flip
  /// Dual write is off.
  case dualWriteOff = "dual_write_off"
  /// A store has no connection.
  case storeUnavailable = "store_unavailable"
  /// Stale keys are copied first.
  case staleKeys = "stale_keys"
}

/// The reason of a job's pause, which ends when an operator says so. Raw values appear in reports.
public enum KeyJobPause: String, Sendable, CaseIterable {
  /// An operator asked for it.
  case operatorAsked = "operator"
  /// The default store moved: from then on keys would be copied in the other direction.
  case defaultMoved = "default_moved"
}

/// The outcome of a job. Raw values appear in reports and files.
public enum KeyJobOutcome: String, Sendable, CaseIterable {
  /// All keys were copied, or are equal.
  case complete
  /// Keys could not be copied or compared, or differ.
  case incomplete
  /// An operator ended it.
  case cancelled
  /// The process ended, and a verification can't be continued.
  case interrupted
}

/// The state of a job: its events and their consequences. It decides, and does no I/O.
public enum KeyJobState: Sendable, Equatable {
  case running
  case waiting(KeyJobObstacle)
  case paused(KeyJobPause)
  case ended(KeyJobOutcome)

  /// Whether it has ended.
  public var hasEnded: Bool { if case .ended = self { true } else { false } }

  /// Whether it is paused.
  public var isPaused: Bool { if case .paused = self { true } else { false } }

  /// Notes what is in the way, or that nothing is.
  mutating func met(_ obstacle: KeyJobObstacle?) {
    switch self {
    case .running, .waiting: self = obstacle.map(Self.waiting) ?? .running
    case .paused, .ended: return
    }
  }

  /// Pauses it for the operator.
  mutating func pause() throws(KeyJobRefusal) {
    switch self {
    case .running, .waiting, .paused(.defaultMoved): self = .paused(.operatorAsked)
    case .paused(.operatorAsked): throw .alreadyPaused
    case .ended: preconditionFailure("a job that has ended is paused")
    }
  }

  /// Continues it.
  mutating func resume() throws(KeyJobRefusal) {
    guard case .paused = self else { throw .notPaused }
    self = .running
  }

  /// Handles a move of the default store. An operator's pause stays, and the job begins anew after it.
  mutating func defaultStoreMoved() {
    switch self {
    case .running, .waiting: self = .paused(.defaultMoved)
    case .paused, .ended: return
    }
  }

  mutating func end(_ outcome: KeyJobOutcome) {
    precondition(!hasEnded, "a job ends twice")
    self = .ended(outcome)
  }
}
