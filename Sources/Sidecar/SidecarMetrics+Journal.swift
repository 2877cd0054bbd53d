internal import PrometheusExposition

/// The metrics of the files with stale keys. An instance has them if there is a `state_directory`.
extension SidecarMetrics {
  static let stateUsable = MetricDescriptor(
    name: "multistore_state_usable",
    kind: .gauge,
    help: "1 while changes of the stale keys reach the file in state_directory; 0 while they are kept in memory only",
    labels: ["instance_name"]
  )
  static let stateFileBytes = MetricDescriptor(
    name: "multistore_state_file_bytes",
    kind: .gauge,
    help: "Size of the file of stale keys, which is rewritten when little in it is live",
    labels: ["instance_name"]
  )
  static let stateWriteFailures = MetricDescriptor(
    name: "multistore_state_write_failures_total",
    kind: .counter,
    help: "Times that the file of stale keys could not be written",
    labels: ["instance_name"]
  )
  static let stateDroppedChanges = MetricDescriptor(
    name: "multistore_state_changes_dropped_total",
    kind: .counter,
    help: "Changes of the stale keys that the disk was too slow for: the next start does not trust the other store",
    labels: ["instance_name"]
  )

  static let journal = [stateUsable, stateFileBytes, stateWriteFailures, stateDroppedChanges]
}
