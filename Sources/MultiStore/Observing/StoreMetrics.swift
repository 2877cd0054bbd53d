internal import CoreMetrics

/// The metrics of one store of one instance. Created once; recording is lock-free and allowed on any thread.
final class StoreMetrics {
  let ok: Counter
  let errorReplies: Counter
  let unavailable: Counter
  let lost: Counter
  let timedOut: Counter
  let rejected: Counter
  let latency: CoreMetrics.Timer
  let inFlight: Gauge
  let queuedBytes: Gauge
  let up: Gauge
  let connections: Gauge
  let restarts: Counter
  let failovers: Counter
  /// The sentinels of the store that are reachable, and those that are not; nil for a fixed address.
  let sentinels: (reachable: Gauge, unreachable: Gauge)?
  let dedicatedConnections: Gauge
  let dedicatedConnectionsLimit: Gauge
  let staleReads: Counter
  let staleKeys: Gauge
  let oldestStaleKey: Gauge
  let healed: Counter
  let notHealed: Counter
  let isTrusted: Gauge
  let isDefault: Gauge
  private let connectionFailures: [ConnectionFailureReason: Counter]
  private let copyFailures: [CopyFailureReason: Counter]
  private let trustLosses: [TrustLoss: Counter]

  init(instance: String, role: StoreRole, hasSentinels: Bool = false, factory: any MetricsFactory) {
    let labels = [("instance_name", instance), ("store", role.label)]
    func counter(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Counter {
      Counter(label: metric.name, dimensions: labels + more, factory: factory)
    }
    func gauge(_ metric: MultiStoreMetric, _ more: (String, String)...) -> Gauge {
      Gauge(label: metric.name, dimensions: labels + more, factory: factory)
    }
    ok = counter(MultiStoreMetrics.commands, ("outcome", "ok"))
    errorReplies = counter(MultiStoreMetrics.commands, ("outcome", "error"))
    unavailable = counter(MultiStoreMetrics.commands, ("outcome", "unavailable"))
    lost = counter(MultiStoreMetrics.commands, ("outcome", "lost"))
    timedOut = counter(MultiStoreMetrics.commands, ("outcome", "timeout"))
    rejected = counter(MultiStoreMetrics.commands, ("outcome", "queue_full"))
    latency = CoreMetrics.Timer(label: MultiStoreMetrics.latency.name, dimensions: labels, factory: factory)
    inFlight = gauge(MultiStoreMetrics.inFlight)
    queuedBytes = gauge(MultiStoreMetrics.queuedBytes)
    up = gauge(MultiStoreMetrics.storeUp)
    connections = gauge(MultiStoreMetrics.storeConnections)
    restarts = counter(MultiStoreMetrics.storeRestarts)
    failovers = counter(MultiStoreMetrics.storeFailovers)
    sentinels =
      hasSentinels
      ? (
        gauge(MultiStoreMetrics.storeSentinels, ("reachable", "yes")),
        gauge(MultiStoreMetrics.storeSentinels, ("reachable", "no"))
      ) : nil
    dedicatedConnections = gauge(MultiStoreMetrics.dedicatedConnections)
    dedicatedConnectionsLimit = gauge(MultiStoreMetrics.dedicatedConnectionsLimit)
    staleReads = counter(MultiStoreMetrics.staleReads)
    staleKeys = gauge(MultiStoreMetrics.staleKeys)
    oldestStaleKey = gauge(MultiStoreMetrics.oldestStaleKey)
    healed = counter(MultiStoreMetrics.healedKeys, ("outcome", "healed"))
    notHealed = counter(MultiStoreMetrics.healedKeys, ("outcome", "failed"))
    isTrusted = gauge(MultiStoreMetrics.storeTrusted)
    trustLosses = Dictionary(
      uniqueKeysWithValues: TrustLoss.allCases.map {
        ($0, counter(MultiStoreMetrics.trustLosses, ("reason", $0.rawValue)))
      }
    )
    isDefault = gauge(MultiStoreMetrics.defaultStore)
    connectionFailures = Dictionary(
      uniqueKeysWithValues: ConnectionFailureReason.allCases.map {
        ($0, counter(MultiStoreMetrics.connectionFailures, ("reason", $0.rawValue)))
      }
    )
    copyFailures = Dictionary(
      uniqueKeysWithValues: CopyFailureReason.allCases.map {
        ($0, counter(MultiStoreMetrics.copyFailures, ("reason", $0.rawValue)))
      }
    )
  }

  func connectionFailed(_ reason: ConnectionFailureReason) {
    connectionFailures[reason]?.increment()
  }

  func trustLost(_ loss: TrustLoss) {
    trustLosses[loss]?.increment()
  }

  func copyFailed(_ reason: CopyFailureReason) {
    copyFailures[reason]?.increment()
  }
}

/// The reason why a connection to a store failed: the label `reason`.
enum ConnectionFailureReason: String, CaseIterable {
  case connect
  case timeout
  case tls
  case authentication
  case notReady = "not_ready"
  case lost
  /// The server closed a connection on which no command was in flight. It is reopened at once.
  case idle
}

/// The reason why a write did not reach the other store: the label `reason`.
enum CopyFailureReason: String, CaseIterable {
  /// The store answered with an error.
  case errorReply = "error_reply"
  /// There was no connection to send it on.
  case unavailable
  /// The connection broke before the reply: it is not known whether it was executed.
  case lost
  /// No reply in time.
  case timeout
  /// The store's queue was full.
  case queueFull = "queue_full"
  /// It is not known whether the default store executed the command, so nothing could be copied.
  case defaultUnknown = "default_unknown"
}
