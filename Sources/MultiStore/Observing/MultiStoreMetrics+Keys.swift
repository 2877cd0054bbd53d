/// Copies, stale keys, checks and jobs.
extension MultiStoreMetrics {
  static let staleReads = MultiStoreMetric(
    name: "multistore_stale_reads_avoided_total",
    kind: .counter,
    help: "Reads kept away from a store because its last write of the key had failed",
    labels: ["instance_name", "store"]
  )
  package static let copyFailures = MultiStoreMetric(
    name: "multistore_copy_failures_total",
    kind: .counter,
    help: "Writes that the default store executed and the other store did not, by reason",
    labels: ["instance_name", "store", "reason"]
  )
  static let keyCopies = MultiStoreMetric(
    name: "multistore_key_copies_total",
    kind: .counter,
    help: "Keys copied whole to the other store, because it lacked them or the command could not be repeated there",
    labels: ["instance_name"]
  )
  static let scriptsNotRemembered = MultiStoreMetric(
    name: "multistore_scripts_not_remembered_total",
    kind: .counter,
    help: "Scripts too many to be kept for the other store: after a flip their EVALSHA is answered with NOSCRIPT",
    labels: ["instance_name"]
  )
  static let uncopiedWrites = MultiStoreMetric(
    name: "multistore_uncopied_writes_total",
    kind: .counter,
    help: "Writes executed on the default store alone, because repeating them could give another result",
    labels: ["command", "instance_name"]
  )
  package static let staleKeys = MultiStoreMetric(
    name: "multistore_stale_keys",
    kind: .gauge,
    help: "Keys whose last write to the store failed",
    labels: ["instance_name", "store"]
  )
  package static let oldestStaleKey = MultiStoreMetric(
    name: "multistore_oldest_stale_key_seconds",
    kind: .gauge,
    help: "Age of the key that has been stale on the store for longest; 0 when there is none",
    labels: ["instance_name", "store"]
  )
  package static let healedKeys = MultiStoreMetric(
    name: "multistore_healed_keys_total",
    kind: .counter,
    help: "Stale keys of the store that were copied again in the background, by how that ended",
    labels: ["instance_name", "store", "outcome"]
  )
  package static let settledChecks = MultiStoreMetric(
    name: "multistore_settled_checks_total",
    kind: .counter,
    help: "Keys that were compared on both stores because they had been written and were quiet, by outcome",
    labels: ["instance_name", "outcome"]
  )
  package static let uncheckedKeys = MultiStoreMetric(
    name: "multistore_unchecked_keys_total",
    kind: .counter,
    help: "Written keys that were not noted for a comparison, because too many were waiting for theirs",
    labels: ["instance_name"]
  )
  package static let unnamedKeys = MultiStoreMetric(
    name: "multistore_unnamed_keys_total",
    kind: .counter,
    help: "Keys that a verification found different, and that no command had named since scripts ran",
    labels: ["instance_name"]
  )
  package static let jobKeys = MultiStoreMetric(
    name: "multistore_job_keys_total",
    kind: .counter,
    help: "Keys that backfills and verifications have dealt with, by result",
    labels: ["instance_name", "kind", "result"]
  )
  package static let jobScannedKeys = MultiStoreMetric(
    name: "multistore_job_scanned_keys_total",
    kind: .counter,
    help: "Keys that backfills and verifications have scanned",
    labels: ["instance_name", "kind"]
  )
  package static let jobBytes = MultiStoreMetric(
    name: "multistore_job_copied_bytes_total",
    kind: .counter,
    help: "Bytes of the dumps of keys that backfills have copied",
    labels: ["instance_name", "kind"]
  )
  package static let jobActive = MultiStoreMetric(
    name: "multistore_job_active",
    kind: .gauge,
    help: "1 while a job of the kind has not ended, be it running, waiting or paused",
    labels: ["instance_name", "kind"]
  )
  package static let jobProgress = MultiStoreMetric(
    name: "multistore_job_progress_ratio",
    kind: .gauge,
    help: "Share of the keys that the last job of the kind has scanned, from 0 to 1",
    labels: ["instance_name", "kind"]
  )
  package static let verifiedAt = MultiStoreMetric(
    name: "multistore_verified_timestamp_seconds",
    kind: .gauge,
    help: "Time at which a verification has found both stores equal; 0 if none has, or if its result is void since",
    labels: ["instance_name"]
  )
  package static let unhealedDifferences = MultiStoreMetric(
    name: "multistore_verification_unhealed_differences",
    kind: .gauge,
    help: "Differences that the last verification has found and that were not mended",
    labels: ["instance_name"]
  )
}
