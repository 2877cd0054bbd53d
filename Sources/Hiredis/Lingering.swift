/// Holds back commands that nobody waits for, so that they leave together and wake the store once.
struct Lingering {
  /// The longest that a command lingers. The timer's resolution adds up to a millisecond.
  static let longest = Duration.milliseconds(1)
  /// The commands leave when they have so many bytes together; one of this size doesn't linger. Servers read as much at
  /// once.
  static let mostBytes = 16 * 1024

  /// The next step after a command was held back.
  enum Step: Equatable {
    case startTimer
    /// The timer runs already.
    case wait
    case handOver
  }

  /// Whether the timer runs: commands are held back for no other reason than that others may come.
  private(set) var isActive = false
  /// Whether there may be commands among the unwritten ones that nobody waits for: they leave even when the connection
  /// is closed.
  private(set) var mayHaveUnwritten = false

  /// Whether a command that is to be sent lingers.
  @inline(__always)
  mutating func admits(byteCount: Int, isUrgent: Bool) -> Bool {
    if isUrgent { return false }
    mayHaveUnwritten = true
    return byteCount < Self.mostBytes
  }

  /// A command was held back that lingers; `heldBytes` is the length of all that are held back.
  mutating func didHold(heldBytes: Int) -> Step {
    guard heldBytes < Self.mostBytes else { return .handOver }
    guard !isActive else { return .wait }
    isActive = true
    return .startTimer
  }

  /// The commands that are held back leave.
  @inline(__always)
  mutating func end() {
    isActive = false
  }

  /// Bytes were written; `queuedBytes` are left.
  mutating func didWrite(queuedBytes: Int) {
    if queuedBytes == 0 { mayHaveUnwritten = false }
  }
}
