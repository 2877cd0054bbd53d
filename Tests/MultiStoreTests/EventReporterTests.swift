internal import CoreMetrics
internal import InMemoryLogging
internal import Logging
internal import MetricsTestKit
internal import Testing

@testable internal import MultiStore

@Suite("Events")
struct EventReporterTests {
  private let log = InMemoryLogHandler()
  private let metrics = TestMetrics()

  private func reporter(eventsPerSecond: Int) -> EventReporter {
    let log = log
    return EventReporter(
      instance: "cache",
      eventsPerSecond: eventsPerSecond,
      logger: Logger(label: "test") { _ in log },
      factory: metrics
    )
  }

  private func event(_ eventClass: EventClass, _ message: String = "m", errorMessage: String? = nil) -> Event {
    Event(
      eventClass: eventClass,
      exception: ReportedException(.command, message),
      commandName: "get",
      errorMessage: errorMessage,
      extra: ["extra.more": "1"]
    )
  }

  private func count(_ metric: MultiStoreMetric, _ eventClass: EventClass) throws -> Int64 {
    let labels = [("class", eventClass.label), ("instance_name", "cache")]
    return try metrics.expectCounter(metric.name, labels).totalValue
  }

  @Test("An event has GitLab's fields")
  func fields() throws {
    var reporter = reporter(eventsPerSecond: 10)
    reporter.report(.storeFailure, now: 5) { event(.storeFailure, "no reply", errorMessage: "Failed to read.") }
    reporter.report(.readFromPrimary, now: 5) { event(.readFromPrimary) }
    let entries = log.entries
    #expect(entries.count == 2)
    #expect(entries[0].level == .error && entries[0].message == "no reply")
    let expected: Logger.Metadata = [
      "exception.class": "Redis::CommandError", "extra.command_name": "get", "extra.instance_name": "cache",
      "extra.multi_store_error_message": "Failed to read.", "extra.more": "1",
      "extra.suppressed_events": .stringConvertible(0),
    ]
    #expect(entries[0].metadata.mapValues { "\($0)" } == expected.mapValues { "\($0)" })
    #expect(entries[1].metadata["extra.multi_store_error_message"] == nil)
  }

  @Test("So many events of one class are written in a second, and the next one says how many were not")
  func rateLimit() throws {
    let second: UInt64 = 1_000_000_000
    var reporter = reporter(eventsPerSecond: 3)
    var described = 0
    func report(_ eventClass: EventClass, at now: UInt64, times: Int) {
      for _ in 0..<times {
        reporter.report(eventClass, now: now) {
          described += 1
          return event(eventClass)
        }
      }
    }
    report(.pipelinedDiff, at: 10 * second, times: 10)
    #expect(described == 3, "what is suppressed is not even described")
    report(.pipelinedDiff, at: 11 * second - 1, times: 2)
    #expect(described == 3)
    // Another class has a limit of its own.
    report(.methodMissing, at: 11 * second - 1, times: 2)
    #expect(described == 5)
    report(.pipelinedDiff, at: 11 * second, times: 2)
    let suppressed = log.entries.map { "\($0.metadata["extra.suppressed_events"] ?? "")" }
    #expect(suppressed == ["0", "0", "0", "0", "0", "9", "0"])
    #expect(try count(MultiStoreMetrics.eventsWritten, .pipelinedDiff) == 5)
    #expect(try count(MultiStoreMetrics.eventsSuppressed, .pipelinedDiff) == 9)
    #expect(try count(MultiStoreMetrics.eventsWritten, .methodMissing) == 2)
    #expect(try count(MultiStoreMetrics.eventsSuppressed, .methodMissing) == 0)
  }

  @Test("The counters of every class are there from the start", arguments: EventClass.allCases)
  func zeros(eventClass: EventClass) throws {
    _ = reporter(eventsPerSecond: 1)
    #expect(try count(MultiStoreMetrics.eventsWritten, eventClass) == 0)
    #expect(try count(MultiStoreMetrics.eventsSuppressed, eventClass) == 0)
  }
}
