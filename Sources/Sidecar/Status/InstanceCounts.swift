internal import MultiStore
internal import PrometheusExposition

/// What /metrics counts of one instance, as far as its status needs it: at one moment, or between two.
struct InstanceCounts: Equatable, Sendable {
  /// The part of one store.
  struct Store: Equatable, Sendable {
    /// Commands sent, however they ended.
    var commands = 0.0
    /// Those that the store did not answer.
    var failedCommands = 0.0
    /// Those that it answered with an error.
    var errorReplies = 0.0
    var lostConnections = 0.0
    /// Writes of the default store that did not get to this one.
    var failedCopies = 0.0
    /// Replies, and the time that they took together.
    var replies = 0.0
    var replySeconds = 0.0

    static func - (later: Store, earlier: Store) -> Store {
      Store(
        commands: later.commands - earlier.commands,
        failedCommands: later.failedCommands - earlier.failedCommands,
        errorReplies: later.errorReplies - earlier.errorReplies,
        lostConnections: later.lostConnections - earlier.lostConnections,
        failedCopies: later.failedCopies - earlier.failedCopies,
        replies: later.replies - earlier.replies,
        replySeconds: later.replySeconds - earlier.replySeconds
      )
    }
  }

  /// Commands that clients sent.
  var commands = 0.0
  /// Reads that the primary was asked for with a fallback at hand.
  var primaryReads = 0.0
  /// Those of them that the secondary had and the primary lacked.
  var fallbackReads = 0.0
  /// Those of them that neither had.
  var trueMisses = 0.0
  var comparedPipelines = 0.0
  var differingPipelines = 0.0
  /// The part of them where the other store has something else, and does not just lack keys.
  var mismatchingPipelines = 0.0
  /// Mismatches too.
  var persistentDiffs = 0.0
  var methodsMissing = 0.0
  /// The secondary.
  var old = Store()
  /// The primary.
  var new = Store()

  static func - (later: InstanceCounts, earlier: InstanceCounts) -> InstanceCounts {
    InstanceCounts(
      commands: later.commands - earlier.commands,
      primaryReads: later.primaryReads - earlier.primaryReads,
      fallbackReads: later.fallbackReads - earlier.fallbackReads,
      trueMisses: later.trueMisses - earlier.trueMisses,
      comparedPipelines: later.comparedPipelines - earlier.comparedPipelines,
      differingPipelines: later.differingPipelines - earlier.differingPipelines,
      mismatchingPipelines: later.mismatchingPipelines - earlier.mismatchingPipelines,
      persistentDiffs: later.persistentDiffs - earlier.persistentDiffs,
      methodsMissing: later.methodsMissing - earlier.methodsMissing,
      old: later.old - earlier.old,
      new: later.new - earlier.new
    )
  }
}

extension InstanceCounts {
  /// What the metrics say of an instance.
  init(_ metrics: MetricsReading, instance: String) {
    func sum(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Double {
      metrics.sum(metric.name, where: [("instance_name", instance)] + more)
    }
    self.init(
      commands: sum(MultiStoreMetrics.inventory),
      primaryReads: sum(MultiStoreMetrics.primaryReads),
      fallbackReads: sum(MultiStoreMetrics.readFallback),
      trueMisses: sum(MultiStoreMetrics.trueMisses),
      comparedPipelines: sum(MultiStoreMetrics.pipelines),
      differingPipelines: sum(MultiStoreMetrics.pipelinedDiff),
      mismatchingPipelines: sum(MultiStoreMetrics.differingPipelines, ("kind", "mismatch")),
      persistentDiffs: sum(MultiStoreMetrics.persistentDiff, ("kind", "mismatch")),
      methodsMissing: sum(MultiStoreMetrics.methodMissing),
      old: Store(metrics, instance: instance, .secondary),
      new: Store(metrics, instance: instance, .primary)
    )
  }
}

extension InstanceCounts.Store {
  /// Outcomes of a command that the store did not answer. They are summed up by themselves: what is counted while the
  /// others are read would look like a failure.
  private static let failures = ["unavailable", "lost", "timeout", "queue_full"]

  fileprivate init(_ metrics: MetricsReading, instance: String, _ role: StoreRole) {
    let labels = [("instance_name", instance), ("store", role.label)]
    func sum(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Double {
      metrics.sum(metric.name, where: labels + more)
    }
    let latency = metrics.histogram(MultiStoreMetrics.latency.name, labels)
    self.init(
      commands: sum(MultiStoreMetrics.commands),
      failedCommands: Self.failures.reduce(0) { $0 + sum(MultiStoreMetrics.commands, ("outcome", $1)) },
      errorReplies: sum(MultiStoreMetrics.commands, ("outcome", "error")),
      lostConnections: sum(MultiStoreMetrics.connectionFailures),
      failedCopies: sum(MultiStoreMetrics.copyFailures),
      replies: Double(latency?.count ?? 0),
      replySeconds: latency?.sum ?? 0
    )
  }
}
