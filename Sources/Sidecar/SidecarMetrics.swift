internal import MultiStore
internal import PrometheusExposition
internal import Proxy

/// The metrics that the sidecar adds to the library's.
enum SidecarMetrics {
  static let flag = MetricDescriptor(
    name: "multistore_feature_flag",
    kind: .gauge,
    help: "1 while the feature flag is on",
    labels: ["flag", "instance_name"]
  )
  static let flagSource = MetricDescriptor(
    name: "multistore_feature_flag_source",
    kind: .gauge,
    help: "Always 1; the label has the origin of the feature flag's value",
    labels: ["flag", "instance_name", "source"]
  )
  static let flagLastChange = MetricDescriptor(
    name: "multistore_feature_flag_last_change_timestamp_seconds",
    kind: .gauge,
    help: "When the feature flag was last changed, in Unix time; 0 for never since the start",
    labels: ["flag", "instance_name"]
  )
  static let flagGeneration = MetricDescriptor(
    name: "multistore_feature_flag_changes_total",
    kind: .counter,
    help: "Changes of feature flags since the start"
  )
  static let flagReloads = MetricDescriptor(
    name: "multistore_feature_flag_reloads_total",
    kind: .counter,
    help: "Times that new contents of the feature flag file were applied"
  )
  static let flagLastReload = MetricDescriptor(
    name: "multistore_feature_flag_last_reload_timestamp_seconds",
    kind: .gauge,
    help: "When contents of the feature flag file were last applied, in Unix time; 0 if they never were"
  )
  static let flagReloadFailures = MetricDescriptor(
    name: "multistore_feature_flag_reload_failures_total",
    kind: .counter,
    help: "Times that the feature flag file could not be used, so that the last valid flags stayed active"
  )
  static let flagReloadSucceeded = MetricDescriptor(
    name: "multistore_feature_flag_last_reload_successful",
    kind: .gauge,
    help: "1 while the flags of the feature flag file are active"
  )
  static let webReloads = MetricDescriptor(
    name: "multistore_web_config_reloads_total",
    kind: .counter,
    help: "Times that new contents of the web configuration, certificates and keys included, were applied"
  )
  static let webReloadFailures = MetricDescriptor(
    name: "multistore_web_config_reload_failures_total",
    kind: .counter,
    help: "Times that the web configuration could not be used, so that the last valid one stayed active"
  )
  static let webReloadSucceeded = MetricDescriptor(
    name: "multistore_web_config_last_reload_successful",
    kind: .gauge,
    help: "1 while the contents of the web configuration are active"
  )
  static let logLines = MetricDescriptor(
    name: "multistore_log_lines_total",
    kind: .counter,
    help: "Lines of the JSON log that were written"
  )
  static let logDropped = MetricDescriptor(
    name: "multistore_log_lines_dropped_total",
    kind: .counter,
    help: "Lines of the JSON log that were lost, by reason",
    labels: ["reason"]
  )
  static let logQueued = MetricDescriptor(
    name: "multistore_log_queued_bytes",
    kind: .gauge,
    help: "Bytes of the JSON log that wait to be written"
  )
  static let logReopenFailures = MetricDescriptor(
    name: "multistore_log_reopen_failures_total",
    kind: .counter,
    help: "Times that the log file could not be reopened, so that the old one stayed in use"
  )
  static let buildInfo = MetricDescriptor(
    name: "multistore_build_info",
    kind: .gauge,
    help: "Always 1; the label has the version of the program",
    labels: ["version"]
  )

  /// The metrics of the instances' states, which precede those of their clients.
  private static let state: [MetricDescriptor] = [
    effectiveRouting, effectiveState, effectiveSince, storeKeys, storeExpiringKeys, storeAverageTTL, storeLongestTTL,
    nextStepReady, nextStepCriterionMet,
  ]

  private static let process: [MetricDescriptor] = [
    flag, flagSource, flagLastChange, flagGeneration, flagReloads, flagLastReload, flagReloadFailures,
    flagReloadSucceeded,
    webReloads, webReloadFailures, webReloadSucceeded, httpConnections, httpConnectionsClosed,
    logLines, logDropped, logQueued, logReopenFailures, buildInfo,
  ]

  /// All metrics at /metrics.
  static let all =
    MultiStoreMetrics.all.map(MetricDescriptor.init) + journal + state + storeTLS + serverTLS
    + ProxyMetrics.all + process
    + [PrometheusRegistry.droppedSeries] + ProcessCollector.descriptors
}

extension MetricDescriptor {
  init(_ metric: MultiStoreMetric) {
    let kind: Kind =
      switch metric.kind {
      case .counter: .counter
      case .gauge: .gauge
      case .timer: .histogram(buckets: Histogram.durationBuckets)
      }
    self.init(name: metric.name, kind: kind, help: metric.help, labels: metric.labels)
  }
}
