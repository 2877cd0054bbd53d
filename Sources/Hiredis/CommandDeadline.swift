/// The time that the oldest command of a connection may wait, and whether a timer runs for it.
///
/// The timer isn't restarted for each command: when it fires, the connection checks the oldest one then.
struct CommandDeadline {
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
    let age = now &- sentAt
    return .nanoseconds(age < timeoutNanoseconds ? timeoutNanoseconds - age : 1)
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

  /// Whether a command that was sent at `sentAt` has waited for `timeout` or longer.
  static func isOver(_ timeout: Duration, sentAt: UInt64, at now: UInt64) -> Bool {
    now &- sentAt >= nanoseconds(timeout)
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration / .nanoseconds(1))) }
}
