/// What an instance has counted at each of the last moments. A plain value with a bound.
struct SampleHistory: Sendable {
  /// One moment.
  struct Sample: Equatable, Sendable {
    let at: ContinuousClock.Instant
    let counts: InstanceCounts
  }

  /// What was counted from one moment to another.
  struct Span: Equatable, Sendable {
    var seconds = 0.0
    var counts = InstanceCounts()

    /// Nothing yet.
    init() {}

    init(_ earlier: Sample, _ later: Sample) {
      seconds = max(0, earlier.at.duration(to: later.at) / .seconds(1))
      counts = later.counts - earlier.counts
    }
  }

  /// What was counted of late, as a judge wants to have it.
  struct Window: Equatable, Sendable {
    /// All of it.
    var whole = Span()
    /// The first half, to compare the second one with.
    var older = Span()
    var younger = Span()
    /// Whether it is as long as a window is to be; otherwise little can be said yet.
    var isFull = false
  }

  /// How often a sample is taken: what an operator sees is not older than that.
  static let interval = Duration.seconds(5)
  /// How long samples are kept: long enough to tell a trend, and short enough for somebody who waits for the next step.
  static let length = Duration.seconds(15 * 60)
  /// Samples in one point of a curve: 15 seconds, so that a curve has 60 points.
  static let samplesInPoint = 3
  /// Points of a whole curve.
  static let pointLimit = Int(length / interval) / samplesInPoint
  /// One more than there are intervals, and one for a timer that is late.
  private static let sampleLimit = Int(length / interval) + 2

  private(set) var samples: [Sample] = []

  /// Adds the newest sample, and forgets what is too old.
  mutating func append(_ sample: Sample) {
    samples.append(sample)
    if samples.count > Self.sampleLimit { samples.removeFirst() }
  }

  /// What was counted since `start`, but no longer ago than ``length``.
  ///
  /// It begins with the last sample before that, so that nothing is left out.
  func window(since start: ContinuousClock.Instant) -> Window {
    guard let last = samples.last else { return Window() }
    let begin = max(start, last.at - Self.length)
    let first = samples.lastIndex { $0.at <= begin } ?? 0
    let whole = Span(samples[first], last)
    let half = samples[first].at + .seconds(whole.seconds / 2)
    let middle = samples.last { $0.at <= half } ?? samples[first]
    // A sample that came late must not keep a window from ever being full.
    let isFull = max(start, samples[first].at) <= last.at - Self.length + Self.interval
    return Window(whole: whole, older: Span(samples[first], middle), younger: Span(middle, last), isFull: isFull)
  }

  /// What was counted within about the last `length`.
  func span(ofLast length: Duration) -> Span {
    guard let last = samples.last, let first = samples.first(where: { $0.at >= last.at - length }) else {
      return Span()
    }
    return Span(first, last)
  }

  /// What was counted in each of the last intervals of a curve, the oldest first.
  var points: [Span] {
    let ends = stride(from: samples.count - 1, to: Self.samplesInPoint - 1, by: -Self.samplesInPoint)
    let spans = ends.map { Span(samples[$0 - Self.samplesInPoint], samples[$0]) }
    return Array(spans.prefix(Self.pointLimit).reversed())
  }
}
