/// Holds back commands whose replies are not awaited, so that they are sent together and wake the store once.
struct Lingering {
  /// The longest time that a command lingers. The timer's resolution adds up to a millisecond.
  static let longest = Duration.milliseconds(1)
  /// The bytes from which on the commands are sent; a single command of this size doesn't linger. Servers read as much
  /// at once.
  static let mostBytes = 16 * 1024

  /// The next step after a command was held back.
  enum Step: Equatable {
    case startTimer
    /// The timer runs already.
    case wait
    case handOver
  }

  /// Whether the timer runs: commands are held back for no other reason than that others may follow.
  private(set) var isActive = false
  /// Whether the unwritten commands may include some whose replies are not awaited: they are sent even when the
  /// connection is closed.
  private(set) var mayHaveUnwritten = false

  /// Whether a command that is to be sent lingers.
  @inline(__always)
  mutating func admits(byteCount: Int, isUrgent: Bool) -> Bool {
    if isUrgent { return false }
    mayHaveUnwritten = true
    return byteCount < Self.mostBytes
  }

  /// Records that a lingering command was held back; `heldBytes` is the length of all that are held back.
  mutating func didHold(heldBytes: Int) -> Step {
    guard heldBytes < Self.mostBytes else { return .handOver }
    guard !isActive else { return .wait }
    isActive = true
    return .startTimer
  }

  /// Ends the lingering: the commands that are held back are sent.
  @inline(__always)
  mutating func end() {
    isActive = false
  }

  /// Records that bytes were written; `queuedBytes` are left.
  mutating func didWrite(queuedBytes: Int) {
    if queuedBytes == 0 { mayHaveUnwritten = false }
  }
}
