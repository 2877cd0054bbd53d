internal import MultiStore
internal import PrometheusExposition
internal import Status

extension InstanceCounts {
  /// Reads the counts of an instance from the metrics.
  init(_ metrics: MetricsReading, instance: String) {
    func sum(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Double {
      metrics.sum(metric.name, where: [("instance_name", instance)] + more)
    }
    self.init()
    commands = sum(MultiStoreMetrics.inventory)
    primaryReads = sum(MultiStoreMetrics.primaryReads)
    fallbackReads = sum(MultiStoreMetrics.readFallback)
    trueMisses = sum(MultiStoreMetrics.trueMisses)
    comparedPipelines = sum(MultiStoreMetrics.pipelines)
    differingPipelines = sum(MultiStoreMetrics.pipelinedDiff)
    mismatchingPipelines = sum(MultiStoreMetrics.differingPipelines, ("kind", "mismatch"))
    persistentDiffs = sum(MultiStoreMetrics.persistentDiff, ("kind", "mismatch"))
    methodsMissing = sum(MultiStoreMetrics.methodMissing)
    old = Store(metrics, instance: instance, .secondary)
    new = Store(metrics, instance: instance, .primary)
  }
}

extension InstanceCounts.Store {
  /// The outcomes of commands without a reply. They are summed up by themselves, and not as a difference: a command
  /// that is counted between two reads would look like a failure.
  private static let failures = ["unavailable", "lost", "timeout", "queue_full"]

  fileprivate init(_ metrics: MetricsReading, instance: String, _ role: StoreRole) {
    let labels = [("instance_name", instance), ("store", role.label)]
    func sum(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Double {
      metrics.sum(metric.name, where: labels + more)
    }
    let latency = metrics.histogram(MultiStoreMetrics.latency.name, labels)
    self.init()
    commands = sum(MultiStoreMetrics.commands)
    failedCommands = Self.failures.reduce(0) { $0 + sum(MultiStoreMetrics.commands, ("outcome", $1)) }
    errorReplies = sum(MultiStoreMetrics.commands, ("outcome", "error"))
    // A connection that was closed while idle is made again at once, and nothing is lost.
    lostConnections =
      sum(MultiStoreMetrics.connectionFailures) - sum(MultiStoreMetrics.connectionFailures, ("reason", "idle"))
    failedCopies = sum(MultiStoreMetrics.copyFailures)
    replies = Double(latency?.count ?? 0)
    replySeconds = latency?.sum ?? 0
  }
}
