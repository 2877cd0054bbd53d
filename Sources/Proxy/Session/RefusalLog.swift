/// Decides which refused connections are logged: the first for each reason, and one every half minute. All of them are
/// counted. Reasons are the sidecar's own words, so there are few.
struct RefusalLog {
  private static let intervalNanoseconds: UInt64 = 30_000_000_000

  private struct Entry {
    var loggedAt: UInt64
    var suppressed = 0
  }

  private var entries: [String: Entry] = [:]

  /// Returns the number of refusals for `reason` that were not logged since the last one that was; nil if this one is
  /// not to be logged either.
  ///
  /// - Parameter now: nanoseconds of the loop's clock.
  mutating func suppressed(_ reason: String, at now: UInt64) -> Int? {
    guard var entry = entries[reason], now &- entry.loggedAt < Self.intervalNanoseconds else {
      defer { entries[reason] = Entry(loggedAt: now) }
      return entries[reason]?.suppressed ?? 0
    }
    entry.suppressed += 1
    entries[reason] = entry
    return nil
  }
}
