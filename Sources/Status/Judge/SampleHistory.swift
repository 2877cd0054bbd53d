/// An instance's counts at the last moments, bounded by ``length``.
package struct SampleHistory: Sendable {
  /// The counts at one moment.
  package struct Sample: Equatable, Sendable {
    package let at: ContinuousClock.Instant
    package let counts: InstanceCounts

    /// Creates a sample.
    package init(at: ContinuousClock.Instant, counts: InstanceCounts) {
      self.at = at
      self.counts = counts
    }
  }

  /// The counts between two moments.
  package struct Span: Equatable, Sendable {
    package var seconds = 0.0
    package var counts = InstanceCounts()

    /// Creates an empty span.
    init() {}

    init(_ earlier: Sample, _ later: Sample) {
      seconds = max(0, earlier.at.duration(to: later.at) / .seconds(1))
      counts = later.counts - earlier.counts
    }
  }

  /// The counts of the last ``length``, whole and in halves.
  package struct Window: Equatable, Sendable {
    /// The whole window.
    package var whole = Span()
    /// The first half, to compare the second one with.
    package var older = Span()
    package var younger = Span()
    /// Whether it covers all of ``SampleHistory/length``.
    package var isFull = false
  }

  /// The time between two samples, which bounds the age of the figures on the page.
  package static let interval = Duration.seconds(5)
  /// The time that samples are kept: long enough for a trend, and short enough to wait for.
  package static let length = Duration.seconds(15 * 60)
  /// Samples in one point of a curve: 15 seconds, so that a curve has 60 points.
  package static let samplesInPoint = 3
  /// Points of a whole curve.
  package static let pointLimit = Int(length / interval) / samplesInPoint
  /// One more than there are intervals, and one for a late timer.
  private static let sampleLimit = Int(length / interval) + 2

  package private(set) var samples: [Sample] = []
  /// The counts when the beginning of the present state was noticed.
  private var stateBegin: Sample?

  /// Creates a history without samples.
  package init() {}

  /// Adds the newest sample and removes the oldest beyond the limit.
  package mutating func append(_ sample: Sample) {
    samples.append(sample)
    if samples.count > Self.sampleLimit { samples.removeFirst() }
  }

  /// Begins another state at `sample`.
  package mutating func beginState(_ sample: Sample) {
    stateBegin = sample
  }

  /// The counts within ``length``.
  package var window: Window { window(since: nil) }

  /// The counts of the present state, within ``length``.
  package var stateWindow: Window { window(since: stateBegin) }

  private func window(since begin: Sample?) -> Window {
    guard let last = samples.last else { return Window() }
    let limit = last.at - Self.length
    // The last sample before the limit, so that no count is left out.
    var first = samples.last { $0.at <= limit } ?? samples[0]
    if let begin, begin.at > first.at { first = begin }
    let whole = Span(first, last)
    let half = first.at + .seconds(whole.seconds / 2)
    let middle = samples.last { $0.at <= half && $0.at >= first.at } ?? first
    // One interval of tolerance, or a late sample could keep the window from ever being full.
    let isFull = first.at <= limit + Self.interval
    return Window(whole: whole, older: Span(first, middle), younger: Span(middle, last), isFull: isFull)
  }

  /// Returns the counts of about the last `length`.
  package func span(ofLast length: Duration) -> Span {
    guard let last = samples.last, let first = samples.first(where: { $0.at >= last.at - length }) else {
      return Span()
    }
    return Span(first, last)
  }

  /// The counts by interval of a curve, oldest first.
  package var points: [Span] {
    let ends = stride(from: samples.count - 1, to: Self.samplesInPoint - 1, by: -Self.samplesInPoint)
    let spans = ends.map { Span(samples[$0 - Self.samplesInPoint], samples[$0]) }
    return Array(spans.prefix(Self.pointLimit).reversed())
  }
}
