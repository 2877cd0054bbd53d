internal import Hiredis

/// Decides which of the failures of a store that is down are logged: the first one, each of another kind than the one
/// before, and one every half minute. All of them are counted.
struct RepeatedFailureLog {
  private static let intervalNanoseconds: UInt64 = 30_000_000_000

  private var last: (kind: ConnectionDownReason.Kind, at: UInt64)?

  /// Whether to log a failure.
  ///
  /// - Parameters:
  ///   - kind: what kind of failure it is.
  ///   - wasReady: whether the store was connected before, so that this is news.
  ///   - now: nanoseconds of the loop's clock.
  mutating func shouldLog(_ kind: ConnectionDownReason.Kind, wasReady: Bool, at now: UInt64) -> Bool {
    if let last, !wasReady, last.kind == kind, now &- last.at < Self.intervalNanoseconds { return false }
    last = (kind, now)
    return true
  }

  /// The store is connected: the next failure is news.
  mutating func recovered() {
    last = nil
  }
}
