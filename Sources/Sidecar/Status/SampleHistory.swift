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
  /// What had been counted when the present state began, as soon as that was noticed.
  private var stateBegin: Sample?

  /// Adds the newest sample, and forgets what is too old.
  mutating func append(_ sample: Sample) {
    samples.append(sample)
    if samples.count > Self.sampleLimit { samples.removeFirst() }
  }

  /// Another state began with `sample`.
  mutating func beginState(_ sample: Sample) {
    stateBegin = sample
  }

  /// What was counted within ``length``.
  var window: Window { window(since: nil) }

  /// What was counted in the present state, and within ``length``.
  var stateWindow: Window { window(since: stateBegin) }

  private func window(since begin: Sample?) -> Window {
    guard let last = samples.last else { return Window() }
    let limit = last.at - Self.length
    // The last sample before the limit, so that nothing is left out.
    var first = samples.last { $0.at <= limit } ?? samples[0]
    if let begin, begin.at > first.at { first = begin }
    let whole = Span(first, last)
    let half = first.at + .seconds(whole.seconds / 2)
    let middle = samples.last { $0.at <= half && $0.at >= first.at } ?? first
    // A sample that came late must not keep a window from ever being full.
    let isFull = first.at <= limit + Self.interval
    return Window(whole: whole, older: Span(first, middle), younger: Span(middle, last), isFull: isFull)
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
