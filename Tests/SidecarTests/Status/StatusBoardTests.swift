import MultiStore
import Status
import Testing

@testable import PrometheusExposition
@testable import Sidecar

@Suite("Figures of the status page")
struct StatusBoardTests {
  private let registry = PrometheusRegistry(describing: SidecarMetrics.all)

  private func count(_ name: String, _ amount: UInt64, _ labels: (String, String)...) {
    registry.counter(name, labels: [("instance_name", "sessions")] + labels).increment(by: amount)
  }

  @Test func `every count is the metric's, and of this instance alone`() {
    count("gitlab_redis_multi_store_read_fallback_total", 2, ("command", "get"))
    count("gitlab_redis_multi_store_read_fallback_total", 3, ("command", "hget"))
    count("gitlab_redis_multi_store_pipelined_diff_error_total", 4, ("command", "multi"))
    count("gitlab_redis_multi_store_method_missing_total", 5, ("command", "time"))
    count("multistore_inventory_commands_total", 70, ("command", "get"), ("routing", "sidecar"), ("hazard", "none"))
    count("multistore_primary_reads_total", 60)
    count("multistore_true_misses_total", 7)
    count("multistore_pipelines_compared_total", 80, ("command", "multi"))
    count("multistore_differing_pipelines_total", 3, ("command", "multi"), ("kind", "mismatch"))
    count("multistore_differing_pipelines_total", 1, ("command", "multi"), ("kind", "gap"))
    count("multistore_persistent_diff_total", 9, ("command", "get"), ("kind", "mismatch"))
    count("multistore_persistent_diff_total", 2, ("command", "get"), ("kind", "gap"))
    for (outcome, amount) in [("ok", 100), ("error", 10), ("lost", 1), ("timeout", 2), ("queue_full", 4)] {
      count("multistore_commands_total", UInt64(amount), ("store", "primary"), ("outcome", outcome))
    }
    count("multistore_store_connection_failures_total", 3, ("store", "primary"), ("reason", "lost"))
    count("multistore_copy_failures_total", 6, ("store", "secondary"), ("reason", "timeout"))
    let labels = [("instance_name", "sessions"), ("store", "secondary")]
    registry.histogram("multistore_store_latency_seconds", labels: labels).observe(0.5)
    registry.histogram("multistore_store_latency_seconds", labels: labels).observe(0.25)
    registry.counter("multistore_primary_reads_total", labels: [("instance_name", "cache")]).increment(by: 1000)

    var expected = InstanceCounts()
    expected.commands = 70
    expected.primaryReads = 60
    expected.fallbackReads = 5
    expected.trueMisses = 7
    expected.comparedPipelines = 80
    expected.differingPipelines = 4
    expected.mismatchingPipelines = 3
    expected.persistentDiffs = 9
    expected.methodsMissing = 5
    expected.new.commands = 117
    expected.new.errorReplies = 10
    expected.new.failedCommands = 7
    expected.new.lostConnections = 3
    expected.old.failedCopies = 6
    expected.old.replies = 2
    expected.old.replySeconds = 0.75
    let found = InstanceCounts(registry.reading(), instance: "sessions")
    #expect(found == expected)
    #expect(found - found == InstanceCounts())
    #expect((found - InstanceCounts()) == found)
  }
}

@Suite("Time of dual writes")
struct DualWritePeriodTests {
  private static func begin(
    after states: [(isDual: Bool, isPrimary: Bool, since: Int64)],
    restart: Int64? = nil
  ) -> Int64? {
    var period = DualWritePeriod()
    for state in states {
      let flags = FlagState(dualWrite: state.isDual, primaryAsDefault: state.isPrimary)
      let routing = Routing(flags: flags, canUsePrimary: true, readPolicy: .fallback)
      period.note(routing, sinceMilliseconds: state.since, lastRestartMilliseconds: restart)
    }
    return period.beginMilliseconds
  }

  @Test func `it begins with dual writes and ends with them`() {
    #expect(Self.begin(after: [(false, false, 1)]) == nil)
    #expect(Self.begin(after: [(false, false, 1), (true, false, 2)]) == 2)
    #expect(Self.begin(after: [(true, false, 2), (true, false, 2)]) == 2)
    #expect(Self.begin(after: [(true, true, 2), (false, true, 3)]) == nil)
    #expect(Self.begin(after: [(true, false, 2), (false, false, 3), (true, false, 4)]) == 4)
  }

  @Test func `a change of the default does not end it, in either direction`() {
    #expect(Self.begin(after: [(true, false, 2), (true, true, 3)]) == 2)
    #expect(Self.begin(after: [(true, false, 2), (true, true, 3), (true, false, 4)]) == 2)
  }

  @Test func `it begins anew when a store has been restarted meanwhile`() {
    #expect(Self.begin(after: [(true, false, 5), (true, true, 6)], restart: 8) == 8)
    #expect(Self.begin(after: [(true, false, 5), (true, true, 6)], restart: 3) == 5)
    #expect(Self.begin(after: [(true, false, 5), (false, false, 6)], restart: 8) == nil)
  }

  @Test func `the same state begun anew was left in between`() {
    #expect(Self.begin(after: [(true, false, 2), (true, false, 9)]) == 9)
    #expect(Self.begin(after: [(true, false, 2), (true, true, 3), (true, true, 9)]) == 9)
  }
}
