/// The rate of a job: keys are taken in pages, and the next page follows when the rate permits it. While a store's
/// latency rises, the rate falls by itself. It only decides, and has no clock of its own.
struct JobPace {
  /// The largest page, in keys.
  static let maxPage = 512
  /// The rise of the stores' latency above the lowest one seen at which the rate is halved, in nanoseconds.
  static let latencyRise: UInt64 = 20_000_000
  /// The lowest rate that a rising latency leads to, in keys per second.
  static let lowestRate = 10.0
  /// The seconds between two pages of stores that are near. Clients wait while a page's keys are read, compared or
  /// stored: with few large pages that shows in their 99th percentile, with many small ones it doesn't.
  private static let shortestInterval = 1 / 400.0
  /// The delay that a job makes up for, in nanoseconds: the loop's timers have milliseconds.
  static let slack: UInt64 = 10_000_000

  /// The operator's limit, in keys per second.
  private var limit: Double
  /// The present rate.
  private(set) var rate: Double
  private var lowestLatency: UInt64?
  /// The time from which the next page may begin, by the loop's clock.
  private(set) var nextAt: UInt64 = 0

  /// - Parameter keysPerSecond: at least 1.
  init(keysPerSecond: Int) {
    limit = Double(keysPerSecond)
    rate = limit
  }

  /// Changes the operator's limit.
  mutating func limit(to keysPerSecond: Int) {
    limit = Double(keysPerSecond)
    rate = limit
    nextAt = 0
  }

  /// The number of keys to ask for. Pages are scanned one at a time, so those of stores that are far away are larger.
  var pageSize: Int {
    let roundTrip = Double(lowestLatency ?? 0) / 1e9
    return min(Self.maxPage, max(1, Int(rate * max(Self.shortestInterval, 2 * roundTrip))))
  }

  /// Notes a page of `keys` keys that begins at `now` of the loop's clock.
  mutating func began(keys: Int, now: UInt64) {
    // A job that was far behind does not catch up: that would be a burst.
    nextAt = max(nextAt, now - min(now, Self.slack)) + UInt64(Double(keys) / rate * 1e9)
  }

  /// Notes the time that the stores took for an answer, in nanoseconds.
  mutating func measured(latency: UInt64) {
    let lowest = min(latency, lowestLatency ?? latency)
    lowestLatency = lowest
    if latency > lowest + Self.latencyRise {
      rate = max(min(limit, Self.lowestRate), rate / 2)
    } else if rate < limit {
      rate = min(limit, rate * 1.1)
    }
  }
}
