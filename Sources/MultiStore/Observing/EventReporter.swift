internal import CoreMetrics
internal import Logging

/// The class of an event: each has a rate limit, and a value of the label `class`.
enum EventClass: Int, CaseIterable {
  case readFromPrimary
  case pipelinedDiff
  case persistentDiff
  case methodMissing
  case storeFailure
  case keyDifference

  var label: String {
    switch self {
    case .readFromPrimary: "ReadFromPrimaryError"
    case .pipelinedDiff: "PipelinedDiffError"
    case .persistentDiff: "PersistentDiffError"
    case .methodMissing: "MethodMissingError"
    case .storeFailure: "StoreError"
    case .keyDifference: "KeyDifferenceError"
    }
  }
}

/// Fields of events that other parts of the program use.
public enum EventFields {
  /// The step that failed; absent from an event about no failed step.
  public static let errorMessage = "extra.multi_store_error_message"
}

/// One event, with the fields of GitLab's `exceptions_json.log`.
struct Event {
  var eventClass: EventClass
  var exception: ReportedException
  var commandName: String
  /// GitLab's `multi_store_error_message`: the step that failed.
  var errorMessage: String?
  /// More `extra.` fields.
  var extra: Logger.Metadata = [:]
}

/// Writes an instance's events to its logger, up to a rate per class. Each event carries the number of events of its
/// class that were suppressed since the last one written. Loop-confined.
struct EventReporter {
  private struct Bucket {
    var tokens: Int
    var refilledAt: UInt64
    var suppressed = 0
  }

  private static let nanosecondsPerSecond: UInt64 = 1_000_000_000

  private let instance: String
  private let eventsPerSecond: Int
  private let logger: Logger
  private let written: [Counter]
  private let suppressed: [Counter]
  private var buckets: [Bucket]

  init(instance: String, eventsPerSecond: Int, logger: Logger, factory: any MetricsFactory) {
    self.instance = instance
    self.eventsPerSecond = eventsPerSecond
    self.logger = logger
    func counters(_ metric: MultiStoreMetric) -> [Counter] {
      EventClass.allCases.map {
        Counter(
          label: metric.name,
          dimensions: [("class", $0.label), ("instance_name", instance)],
          factory: factory
        )
      }
    }
    written = counters(MultiStoreMetrics.eventsWritten)
    suppressed = counters(MultiStoreMetrics.eventsSuppressed)
    buckets = EventClass.allCases.map { _ in Bucket(tokens: eventsPerSecond, refilledAt: 0) }
  }

  /// Writes the event that `make` describes, or counts it as suppressed without describing it.
  ///
  /// - Parameter now: the loop's monotonic clock, in nanoseconds.
  mutating func report(_ eventClass: EventClass, now: UInt64, _ make: () -> Event) {
    let index = eventClass.rawValue
    if now - buckets[index].refilledAt >= Self.nanosecondsPerSecond {
      buckets[index].tokens = eventsPerSecond
      buckets[index].refilledAt = now
    }
    guard buckets[index].tokens > 0 else {
      buckets[index].suppressed += 1
      suppressed[index].increment()
      return
    }
    buckets[index].tokens -= 1
    write(make(), suppressedBefore: buckets[index].suppressed)
    buckets[index].suppressed = 0
    written[index].increment()
  }

  private func write(_ event: Event, suppressedBefore: Int) {
    var metadata = event.extra
    metadata["exception.class"] = "\(event.exception.name.rawValue)"
    metadata["extra.command_name"] = "\(event.commandName)"
    metadata["extra.instance_name"] = "\(instance)"
    metadata["extra.suppressed_events"] = .stringConvertible(suppressedBefore)
    if let errorMessage = event.errorMessage {
      metadata[EventFields.errorMessage] = "\(errorMessage)"
    }
    logger.error("\(event.exception.message)", metadata: metadata)
  }
}
