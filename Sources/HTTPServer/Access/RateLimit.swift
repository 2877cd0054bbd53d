internal import Synchronization

/// How many requests a listener answers: one in each interval, and some more after a pause.
public struct RateLimit: Sendable, Hashable {
  /// The time between two requests in the long run.
  public let interval: Duration
  /// Requests that may come at once after a pause.
  public let burst: Int

  /// A limit.
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
  /// When the bucket would be full: each request moves it by an interval.
  private let fullAt: Mutex<ContinuousClock.Instant>

  /// A full bucket.
  public convenience init(_ limit: RateLimit) {
    self.init(limit, now: { ContinuousClock.now })
  }

  init(_ limit: RateLimit, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.limit = limit
    self.now = now
    fullAt = Mutex(now())
  }

  /// Whether one more request may be answered; if so, it is counted.
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
