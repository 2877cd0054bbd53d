internal import Synchronization

/// A distribution, counted in fixed buckets.
///
/// Any thread may observe, without a lock: one atomic addition for the bucket and one for the sum. A scrape between the
/// two sees only the first, as with every Prometheus client.
public final class Histogram: Sendable {
  /// The limit on the number of buckets, without the one for all values.
  ///
  /// Each bucket is a time series for every combination of labels; Prometheus' guides advise about ten. The cells are
  /// stored inline, so the bound is also what makes a histogram one allocation.
  public static let maxBuckets = 32

  /// Buckets for durations of a data path, in seconds: from 50 µs, a reply of a store on the same machine, to 10 s,
  /// beyond which a client has timed out.
  public static let durationBuckets: [Double] = [
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]

  /// Buckets for values of unknown scale (sizes, counts): powers of four up to 16 Mi.
  static let valueBuckets: [Double] = (0...12).map { Double(1 << ($0 * 2)) }

  /// One reading: counts per bucket (not cumulated, one more than there are bounds) and the sum of the observed values.
  struct Reading {
    var counts: [UInt64]
    var sum: Double

    /// The number of observations.
    var count: UInt64 { counts.reduce(0, &+) }
  }

  /// The inclusive upper bounds, in the base unit.
  let bounds: [Double]

  /// The label `le` of each bucket and the text after it up to the value, for the exposition.
  let renderedBounds: [[UInt8]]

  /// The same bounds for observations in nanoseconds, so that the data path compares integers.
  private let boundsNanoseconds: [UInt64]

  private let cells: InlineArray<33, Atomic<UInt64>>
  private let sumNanoseconds = Atomic<UInt64>(0)
  private let sum = AtomicDouble()

  /// Creates a histogram; ``MetricDescriptor/mistake`` has to be nil for its bounds.
  init(bounds: [Double]) {
    precondition(bounds.count <= Histogram.maxBuckets, "A histogram has at most \(Histogram.maxBuckets) buckets.")
    self.bounds = bounds
    renderedBounds = (bounds.map(NumberFormat.bound) + ["+Inf"]).map { Array("le=\"\($0)\"} ".utf8) }
    boundsNanoseconds = bounds.map { UInt64(exactly: ($0 * 1e9).rounded()) ?? ($0 < 0 ? 0 : .max) }
    cells = InlineArray { _ in Atomic<UInt64>(0) }
  }

  /// Counts a value in the base unit of the metric (seconds for durations, bytes for sizes).
  ///
  /// NaN and infinities are ignored: one of them would make the sum useless from then on.
  public func observe(_ value: Double) {
    guard value.isFinite else { return }
    var index = 0
    while index < bounds.count && value > bounds[index] { index += 1 }
    cells[index].wrappingAdd(1, ordering: .relaxed)
    sum.add(value)
  }

  /// Counts a duration in nanoseconds, for a histogram whose base unit is the second.
  public func observe(nanoseconds: UInt64) {
    var index = 0
    while index < boundsNanoseconds.count && nanoseconds > boundsNanoseconds[index] { index += 1 }
    cells[index].wrappingAdd(1, ordering: .relaxed)
    let total = sumNanoseconds.wrappingAdd(nanoseconds, ordering: .relaxed)
    if total.newValue < total.oldValue {
      // 2^64 ns are 585 years of waiting, which ten thousand clients reach in three weeks.
      sum.add(0x1p64 / 1e9)
    }
  }

  /// The values for a scrape. Each cell is read once, so that count and buckets agree.
  var reading: Reading {
    Reading(
      counts: (0...bounds.count).map { cells[$0].load(ordering: .relaxed) },
      sum: sum.value + Double(sumNanoseconds.load(ordering: .relaxed)) / 1e9
    )
  }
}
