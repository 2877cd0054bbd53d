import Synchronization

/// What clients have experienced, gathered from their threads.
final class Observations: Sendable {
  /// Commands that were sent together.
  struct Sample {
    let start: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    /// Whether all answers were other than errors.
    let isServed: Bool
  }

  /// All of it, guarded by the lock.
  struct Record {
    var samples: [Sample] = []
    /// How often each error came, numbers and paths in it left out.
    var errors: [String: Int] = [:]
    var wrongAnswers: [String] = []
    /// Commands that were answered.
    var commands = 0
  }

  private let record = Mutex(Record())

  func change(_ body: (inout sending Record) -> Void) { record.withLock { body(&$0) } }

  func noteError(_ text: String) {
    let kind = text.replacing(/unix:[^ :]+/, with: "unix:…").replacing(/[0-9]+/, with: "N")
    record.withLock { $0.errors[kind, default: 0] += 1 }
  }

  var all: Record { record.withLock { $0 } }
}

extension Observations.Record {
  /// The length of the parts into which the fault's time is divided.
  static let interval = Duration.milliseconds(500)

  /// The longest time from sending commands to their last answer, of those that were answered after `start`.
  func longestWait(since start: ContinuousClock.Instant) -> Duration {
    samples.filter { $0.end >= start }.map { $0.end - $0.start }.max() ?? .zero
  }

  /// The half-seconds between two moments in which clients waited or got errors and nobody was served, of how many.
  func unserved(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> (count: Int, of: Int) {
    var isServed: [Bool] = []
    var isAsked: [Bool] = []
    let count = Int((end - start) / Self.interval)
    isServed = Array(repeating: false, count: max(0, count))
    isAsked = isServed
    let index = { (moment: ContinuousClock.Instant) in Int(((moment - start) / Self.interval).rounded(.down)) }
    for sample in samples where sample.end >= start && sample.start < end {
      let last = index(sample.end)
      if last < isServed.count {
        if sample.isServed { isServed[last] = true } else { isAsked[last] = true }
      }
      // It waited through all of the half-seconds between the one of its start and the one of its end.
      let waited = (index(max(sample.start, start - Self.interval)) + 1)..<max(last, index(sample.start) + 1)
      for number in waited.clamped(to: 0..<isAsked.count) { isAsked[number] = true }
    }
    return (zip(isAsked, isServed).count { $0 && !$1 }, isServed.count)
  }
}
