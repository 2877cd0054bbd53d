/// The time that the oldest command of a connection may wait, and whether a timer runs for it.
///
/// The timer isn't restarted for each command: when it fires, the connection checks the oldest one then.
struct CommandDeadline {
  /// The most time that a server gets for long commands, however many there are.
  static let longestWait = Duration.seconds(600)

  /// The time that a command may go without a reply, or wait for an attempt to connect; nil for no limit.
  var timeout: Duration? {
    didSet {
      timeoutNanoseconds = timeout.map(Self.nanoseconds)
      isSet = false
    }
  }
  private var timeoutNanoseconds: UInt64?
  /// Whether the timer runs for a command.
  private(set) var isSet = false
  /// The moment from which waiting counts at the earliest: the server has time until then for commands that are known
  /// to take long. Nanoseconds of the loop's clock.
  private var countsFrom: UInt64 = 0
  /// The long commands that have not ended.
  private var longCommands = 0

  /// Whether there is one.
  @inline(__always)
  var hasLongCommand: Bool { longCommands > 0 }

  init(timeout: Duration?) {
    self.timeout = timeout
    timeoutNanoseconds = timeout.map(Self.nanoseconds)
  }

  /// Sets the deadline of a command in flight; returns the timer's delay, or nil if there is no limit.
  ///
  /// - Parameters:
  ///   - sentAt: when the command was sent, in nanoseconds of the loop's clock.
  ///   - now: the same clock now.
  mutating func set(forCommandSentAt sentAt: UInt64, at now: UInt64) -> Duration? {
    guard let timeoutNanoseconds else { return nil }
    isSet = true
    let granted = countsFrom > now ? countsFrom - now : 0
    let age = granted > 0 ? 0 : now &- max(sentAt, countsFrom)
    return .nanoseconds(granted + (age < timeoutNanoseconds ? timeoutNanoseconds - age : 1))
  }

  /// Sets the deadline of a command that begins to wait for an attempt to connect; returns the timer's delay, or nil if
  /// there is no limit.
  mutating func setForHeldCommand() -> Duration? {
    if timeout != nil { isSet = true }
    return timeout
  }

  /// Records that the timer has fired or was cancelled.
  mutating func clear() {
    isSet = false
  }

  /// Whether a command that was sent at `sentAt` has waited for `timeout` or longer, the server's time for long
  /// commands not included.
  func isOver(_ timeout: Duration, sentAt: UInt64, at now: UInt64) -> Bool {
    countsFrom <= now && now &- max(sentAt, countsFrom) >= Self.nanoseconds(timeout)
  }

  /// Gives the server more time, since a command may take `allowance`: none of those behind it has to be answered
  /// before it.
  ///
  /// A server executes what it reads together before it answers, so that several of them add up; but one that answers
  /// none is not waited for longer than ``longestWait``.
  mutating func longCommandBegan(allowance: Duration, at now: UInt64) {
    longCommands += 1
    countsFrom = min(max(countsFrom, now) + Self.nanoseconds(allowance), now + Self.nanoseconds(Self.longestWait))
  }

  /// Takes back the time that is left when the last long command has ended. Those behind it have their whole time from
  /// now on.
  mutating func longCommandEnded(at now: UInt64) {
    precondition(longCommands > 0, "a long command has ended twice")
    longCommands -= 1
    if longCommands == 0 { countsFrom = min(countsFrom, now) }
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration / .nanoseconds(1))) }
}
