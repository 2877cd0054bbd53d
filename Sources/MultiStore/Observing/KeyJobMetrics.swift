internal import CoreMetrics

/// The metrics of an instance's jobs on whole keys; recording is lock-free and allowed on any thread.
final class KeyJobMetrics {
  /// The figures of one kind of job.
  private struct OfKind {
    let results: [KeyJobResult: Counter]
    let scanned: Counter
    let bytes: Counter
    let isActive: Gauge
    let progress: Gauge
  }

  /// Keys that a verification found different, and that no command had named since scripts ran.
  let unnamedKeys: Counter
  let verifiedAt: Gauge
  private let unhealed: Gauge
  private let kinds: [KeyJobKind: OfKind]

  init(instance: String, factory: any MetricsFactory) {
    let label = ("instance_name", instance)
    verifiedAt = Gauge(label: MultiStoreMetrics.verifiedAt.name, dimensions: [label], factory: factory)
    unnamedKeys = Counter(label: MultiStoreMetrics.unnamedKeys.name, dimensions: [label], factory: factory)
    unhealed = Gauge(label: MultiStoreMetrics.unhealedDifferences.name, dimensions: [label], factory: factory)
    kinds = Dictionary(
      uniqueKeysWithValues: KeyJobKind.allCases.map { kind in
        let labels = [label, ("kind", kind.rawValue)]
        func gauge(_ metric: MultiStoreMetric) -> Gauge {
          Gauge(label: metric.name, dimensions: labels, factory: factory)
        }
        func counter(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Counter {
          Counter(label: metric.name, dimensions: labels + more, factory: factory)
        }
        let results = kind.results.map { ($0, counter(MultiStoreMetrics.jobKeys, ("result", $0.rawValue))) }
        let figures = OfKind(
          results: Dictionary(uniqueKeysWithValues: results),
          scanned: counter(MultiStoreMetrics.jobScannedKeys),
          bytes: counter(MultiStoreMetrics.jobBytes),
          isActive: gauge(MultiStoreMetrics.jobActive),
          progress: gauge(MultiStoreMetrics.jobProgress)
        )
        return (kind, figures)
      }
    )
  }

  /// Records what has changed since the last progress of the same job; nil for none.
  func publish(_ job: KeyJobProgress, since last: KeyJobProgress?) {
    let kind = job.request.kind
    guard let figures = kinds[kind] else { return }
    let before = last?.startedMilliseconds == job.startedMilliseconds ? last : nil
    for result in kind.results {
      figures.results[result]?.increment(by: max(0, job.count(result) - (before?.count(result) ?? 0)))
    }
    figures.scanned.increment(by: max(0, job.scannedKeys - (before?.scannedKeys ?? 0)))
    figures.bytes.increment(by: max(0, job.copiedBytes - (before?.copiedBytes ?? 0)))
    figures.isActive.record(job.state.hasEnded ? 0 : 1)
    figures.progress.record(job.share ?? 0)
    if kind == .verify { unhealed.record(job.unhealed) }
  }
}
