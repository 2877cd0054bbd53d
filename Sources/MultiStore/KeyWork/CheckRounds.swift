/// Bounds the comparison of settled keys: one round at a time, of the keys that the rate permits in a tenth of a
/// second. A call of a script costs its server as much as the comparison of several keys does, so keys are not compared
/// as soon as they are due. It only decides, and has no clock of its own.
struct CheckRounds {
  /// The most keys of a round.
  static let maxKeys = 1_024
  /// The number of rounds in a second, unless a round has more than ``maxKeys`` then.
  private static let perSecond = 10

  /// The number of keys that may be compared in a second.
  private let rate: Int
  /// The number of keys of a round.
  let size: Int
  private var isInFlight = false
  private var nextAt: UInt64 = 0

  /// - Parameter keysPerSecond: above 0.
  init(keysPerSecond: Int) {
    rate = keysPerSecond
    size = min(max(1, rate / Self.perSecond), Self.maxKeys)
  }

  /// Whether a round may begin, by the loop's clock.
  func mayBegin(now: UInt64) -> Bool { !isInFlight && nextAt <= now }

  /// Begins a round of `count` keys, of which there are not more than ``size``.
  mutating func began(_ count: Int, now: UInt64) {
    precondition(!isInFlight && count <= size, "a round of \(count) keys begins")
    isInFlight = true
    let perRound = 1_000_000_000 / UInt64(Self.perSecond)
    // One that is not full waits for more keys.
    nextAt = now + (count < size ? perRound : UInt64(size) * 1_000_000_000 / UInt64(rate))
  }

  /// Ends the round. Returns the time until the next one may begin.
  mutating func ended(now: UInt64) -> Duration {
    precondition(isInFlight, "a round ends that has not begun")
    isInFlight = false
    return .nanoseconds(Int64(nextAt - min(nextAt, now)))
  }
}
