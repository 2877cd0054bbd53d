internal import Synchronization

/// The limit on a listener's rate of requests: one in each interval, and a burst after a pause.
public struct RateLimit: Sendable, Hashable {
  /// The mean time between two requests.
  public let interval: Duration
  /// The number of requests at once after a pause.
  public let burst: Int

  /// Creates a limit.
  public init(interval: Duration, burst: Int) {
    precondition(interval > .zero && burst > 0, "a limit that lets nothing through")
    self.interval = interval
    self.burst = burst
  }
}

/// The token bucket of a ``RateLimit``. Any thread.
public final class RateLimiter: Sendable {
  private let limit: RateLimit
  private let now: @Sendable () -> ContinuousClock.Instant
  /// The time when the bucket is full; each request moves it by an interval.
  private let fullAt: Mutex<ContinuousClock.Instant>

  /// Creates a full bucket.
  public convenience init(_ limit: RateLimit) {
    self.init(limit, now: { ContinuousClock.now })
  }

  init(_ limit: RateLimit, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.limit = limit
    self.now = now
    fullAt = Mutex(now())
  }

  /// Whether one more request is admitted; if so, it is counted.
  func admits() -> Bool {
    let time = now()
    return fullAt.withLock { fullAt in
      let next = max(fullAt, time) + limit.interval
      guard time.duration(to: next) <= limit.interval * limit.burst else { return false }
      fullAt = next
      return true
    }
  }
}
