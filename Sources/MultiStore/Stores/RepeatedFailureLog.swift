internal import Hiredis

/// Decides which of the failures of a store that is down are logged: the first one, each of another kind than the one
/// before, and one every half minute. All of them are counted.
struct RepeatedFailureLog {
  private static let intervalNanoseconds: UInt64 = 30_000_000_000

  private var last: (kind: ConnectionDownReason.Kind, at: UInt64)?

  /// Whether to log a failure.
  ///
  /// - Parameters:
  ///   - kind: the kind of the failure.
  ///   - wasReady: whether the store was connected before; such a failure is always logged.
  ///   - now: nanoseconds of the loop's clock.
  mutating func shouldLog(_ kind: ConnectionDownReason.Kind, wasReady: Bool, at now: UInt64) -> Bool {
    if let last, !wasReady, last.kind == kind, now &- last.at < Self.intervalNanoseconds { return false }
    last = (kind, now)
    return true
  }

  /// Notes that the store is connected, so that the next failure is logged.
  mutating func recovered() {
    last = nil
  }
}
