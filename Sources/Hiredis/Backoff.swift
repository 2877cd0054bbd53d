/// The delays between attempts to connect: half of a bound that doubles with each failure up to a cap, and a random
/// part of the other half, so that many clients of a store that recovers do not connect at the same time.
struct Backoff {
  /// The least time from one attempt to the next, whether the first one succeeded or not.
  private let base: Duration
  private let cap: Duration
  /// Returns a number from 0 up to 1.
  private let random: () -> Double
  /// Failures in a row; a working connection that was lost is the first of them.
  private(set) var attempt = 0

  init(base: Duration, cap: Duration, random: @escaping () -> Double) {
    self.base = base
    self.cap = cap
    self.random = random
  }

  /// Counts a failed attempt.
  ///
  /// - Returns: how long to wait.
  mutating func next() -> Duration {
    attempt += 1
    var bound = base
    for _ in 1..<attempt {
      guard bound < cap else { break }
      bound *= 2
    }
    return min(bound, cap) * (0.5 + random() / 2)
  }

  /// Counts a working connection that was lost: the store is most probably up, so the next attempt is due at once.
  /// The base bounds the rate of attempts at a store that accepts connections only to drop them.
  ///
  /// - Parameter elapsed: the time since the attempt that made the lost connection began.
  /// - Returns: how long to wait.
  mutating func restart(after elapsed: Duration) -> Duration {
    attempt = 1
    return max(.zero, base - elapsed)
  }
}
