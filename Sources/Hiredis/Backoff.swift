/// Delays between attempts: drawn evenly from zero to a bound that doubles with each failure up to a cap, so that many
/// clients of a store that comes back do not arrive together.
struct Backoff {
  private let base: Duration
  private let cap: Duration
  /// Returns a number from 0 up to 1.
  private let random: () -> Double
  /// Failures in a row.
  private(set) var attempt = 0

  init(base: Duration, cap: Duration, random: @escaping () -> Double) {
    self.base = base
    self.cap = cap
    self.random = random
  }

  /// Counts a failure and says how long to wait.
  mutating func next() -> Duration {
    attempt += 1
    var bound = base
    for _ in 1..<attempt {
      guard bound < cap else { break }
      bound *= 2
    }
    return min(bound, cap) * random()
  }

  /// Things are well again.
  mutating func reset() {
    attempt = 0
  }
}
