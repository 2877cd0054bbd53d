internal import CoreMetrics

/// The metrics of an instance's settled checks; recording is lock-free and allowed on any thread.
final class SettledCheckMetrics {
  /// Written keys that were not noted.
  let unchecked: Counter
  private let outcomes: [KeyComparisonOutcome: Counter]

  init(instance: String, factory: any MetricsFactory) {
    func counter(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Counter {
      Counter(label: metric.name, dimensions: [("instance_name", instance)] + more, factory: factory)
    }
    unchecked = counter(MultiStoreMetrics.uncheckedKeys)
    outcomes = Dictionary(
      uniqueKeysWithValues: KeyComparisonOutcome.allCases.map {
        ($0, counter(MultiStoreMetrics.settledChecks, ("outcome", $0.rawValue)))
      }
    )
  }

  func ended(_ outcome: KeyComparisonOutcome) {
    outcomes[outcome]?.increment()
  }
}
