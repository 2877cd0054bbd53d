internal import MultiStore
internal import PrometheusExposition

extension MetricsPage {
  /// Adds the files with stale keys, each with the name of its instance.
  static func register(_ journals: [(instance: String, journal: StalenessJournal)], in registry: PrometheusRegistry) {
    registry.collect { writer in
      for (instance, journal) in journals {
        let labels = [("instance_name", instance)]
        let statistics = journal.statistics
        writer.gauge(SidecarMetrics.stateUsable.name, labels: labels, statistics.isUsable ? 1 : 0)
        writer.gauge(SidecarMetrics.stateFileBytes.name, labels: labels, Double(statistics.fileBytes))
        writer.counter(SidecarMetrics.stateWriteFailures.name, labels: labels, Double(statistics.writeFailures))
        writer.counter(SidecarMetrics.stateDroppedChanges.name, labels: labels, Double(statistics.droppedChanges))
      }
    }
  }
}
