internal import PrometheusExposition

/// The metrics that are read from an instance's status during a scrape.
extension SidecarMetrics {
  static let effectiveRouting = MetricDescriptor(
    name: "multistore_effective_routing",
    kind: .gauge,
    help: "Always 1; the labels name the stores of reads and writes, and the one whose reply a client gets",
    labels: ["instance_name", "reads", "writes", "replies"]
  )
  static let effectiveState = MetricDescriptor(
    name: "multistore_effective_state",
    kind: .gauge,
    help: "0 old store only, 1 dual writes with the secondary as default, 2 dual writes with the primary as default, "
      + "3 new store only",
    labels: ["instance_name"]
  )
  static let effectiveSince = MetricDescriptor(
    name: "multistore_effective_since_timestamp_seconds",
    kind: .gauge,
    help: "When the present routing of reads and writes began, in Unix time",
    labels: ["instance_name"]
  )
  static let storeKeys = MetricDescriptor(
    name: "multistore_store_keys",
    kind: .gauge,
    help: "Keys in the instance's database of the store",
    labels: ["instance_name", "store"]
  )
  static let storeExpiringKeys = MetricDescriptor(
    name: "multistore_store_expiring_keys",
    kind: .gauge,
    help: "Keys in the instance's database of the store that have a time to live",
    labels: ["instance_name", "store"]
  )
  static let storeAverageTTL = MetricDescriptor(
    name: "multistore_store_average_ttl_seconds",
    kind: .gauge,
    help: "Average remaining time to live of the keys that have one, by the store's own estimate",
    labels: ["instance_name", "store"]
  )
  static let storeLongestTTL = MetricDescriptor(
    name: "multistore_store_longest_ttl_seconds",
    kind: .gauge,
    help: "Longest remaining time to live among the keys sampled in the last hour",
    labels: ["instance_name", "store"]
  )
}
