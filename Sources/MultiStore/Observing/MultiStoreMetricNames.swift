/// The kind of a metric.
public enum MultiStoreMetricKind: Sendable {
  /// Only goes up.
  case counter
  /// Goes up and down.
  case gauge
  /// Durations in seconds.
  case timer
}

/// The name, kind, help text and labels of one metric.
public struct MultiStoreMetric: Sendable {
  /// The metric's full name.
  public let name: String
  /// The metric's kind.
  public let kind: MultiStoreMetricKind
  /// One sentence for the reader.
  public let help: String
  /// The names of its labels.
  public let labels: [String]
}

/// Every metric that the library records through swift-metrics: the one table that names, registration and
/// documentation come from. The first three carry the names that GitLab's dashboards and alerts know.
public enum MultiStoreMetrics {
  package static let readFallback = MultiStoreMetric(
    name: "gitlab_redis_multi_store_read_fallback_total",
    kind: .counter,
    help: "Client side Redis MultiStore reading fallback",
    labels: ["command", "instance_name"]
  )
  package static let pipelinedDiff = MultiStoreMetric(
    name: "gitlab_redis_multi_store_pipelined_diff_error_total",
    kind: .counter,
    help: "Redis MultiStore pipelined command diff between stores",
    labels: ["command", "instance_name"]
  )
  package static let methodMissing = MultiStoreMetric(
    name: "gitlab_redis_multi_store_method_missing_total",
    kind: .counter,
    help: "Client side Redis MultiStore method missing",
    labels: ["command", "instance_name"]
  )
  package static let inventory = MultiStoreMetric(
    name: "multistore_inventory_commands_total",
    kind: .counter,
    help: "Commands that clients have sent, by what becomes of them while dual writes are on and what can go wrong",
    labels: ["command", "instance_name", "routing", "hazard"]
  )
  package static let commands = MultiStoreMetric(
    name: "multistore_commands_total",
    kind: .counter,
    help: "Commands sent to a store, by how they ended",
    labels: ["instance_name", "store", "outcome"]
  )
  package static let latency = MultiStoreMetric(
    name: "multistore_store_latency_seconds",
    kind: .timer,
    help: "Time from handing a command to a store's connection, one that clients share, until its reply",
    labels: ["instance_name", "store"]
  )
  package static let inFlight = MultiStoreMetric(
    name: "multistore_store_in_flight_commands",
    kind: .gauge,
    help: "Commands sent or queued to a store and not answered yet",
    labels: ["instance_name", "store"]
  )
  static let queuedBytes = MultiStoreMetric(
    name: "multistore_store_queued_bytes",
    kind: .gauge,
    help: "Bytes of the commands that a store has not answered yet",
    labels: ["instance_name", "store"]
  )
  static let storeUp = MultiStoreMetric(
    name: "multistore_store_up",
    kind: .gauge,
    help: "1 while the ordinary connection to the store is ready",
    labels: ["instance_name", "store"]
  )
  static let storeConnections = MultiStoreMetric(
    name: "multistore_store_connections",
    kind: .gauge,
    help: "Connections to the store that are ready",
    labels: ["instance_name", "store"]
  )
  static let dedicatedConnections = MultiStoreMetric(
    name: "multistore_store_dedicated_connections",
    kind: .gauge,
    help: "Connections to the store that clients have to themselves, for blocking commands, WATCH and subscriptions",
    labels: ["instance_name", "store"]
  )
  static let dedicatedConnectionsLimit = MultiStoreMetric(
    name: "multistore_store_dedicated_connections_limit",
    kind: .gauge,
    help: "The most connections to the store that clients may have to themselves at once",
    labels: ["instance_name", "store"]
  )
  package static let connectionFailures = MultiStoreMetric(
    name: "multistore_store_connection_failures_total",
    kind: .counter,
    help: "Connections to the store that failed or were lost, by reason",
    labels: ["instance_name", "store", "reason"]
  )
  static let storeRestarts = MultiStoreMetric(
    name: "multistore_store_restarts_total",
    kind: .counter,
    help: "Times that the store came back as another process or server: what that did not keep is gone",
    labels: ["instance_name", "store"]
  )
  static let storeFailovers = MultiStoreMetric(
    name: "multistore_store_failovers_total",
    kind: .counter,
    help: "Times that the sentinels have named another master of the store",
    labels: ["instance_name", "store"]
  )
  static let storeSentinels = MultiStoreMetric(
    name: "multistore_store_sentinels",
    kind: .gauge,
    help: "Sentinels of the store that are known; with reachable no, they could not tell of a failover now",
    labels: ["instance_name", "store", "reachable"]
  )
  static let fallbackReads = MultiStoreMetric(
    name: "multistore_fallback_reads_total",
    kind: .counter,
    help: "Reads that the secondary was asked for because the primary missed or failed",
    labels: ["instance_name", "reason"]
  )
  package static let primaryReads = MultiStoreMetric(
    name: "multistore_primary_reads_total",
    kind: .counter,
    help: "Reads that the primary was asked for with a fallback at hand",
    labels: ["instance_name"]
  )
  package static let trueMisses = MultiStoreMetric(
    name: "multistore_true_misses_total",
    kind: .counter,
    help: "Fallback reads that the secondary missed as well",
    labels: ["instance_name"]
  )
  static let overtakenReads = MultiStoreMetric(
    name: "multistore_overtaken_reads_total",
    kind: .counter,
    help: "Fallback reads of what was just being written: the primary had it when it was asked again",
    labels: ["instance_name"]
  )
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
  package static let forcedMoves = MultiStoreMetric(
    name: "multistore_forced_moves_total",
    kind: .counter,
    help: "Times that the default store moved to a store that was not trusted or had more stale keys than "
      + "max_keys_at_flip",
    labels: ["instance_name"]
  )
  package static let storeTrusted = MultiStoreMetric(
    name: "multistore_store_trusted",
    kind: .gauge,
    help: "1 while all keys that are outdated on the store are known; 0 while none of its answers is used unless the "
      + "default store has moved there",
    labels: ["instance_name", "store"]
  )
  package static let trustLosses = MultiStoreMetric(
    name: "multistore_store_trust_losses_total",
    kind: .counter,
    help: "Times that the store stopped being trusted, by reason",
    labels: ["instance_name", "store", "reason"]
  )
  package static let pipelines = MultiStoreMetric(
    name: "multistore_pipelines_compared_total",
    kind: .counter,
    help: "Pipelines and transactions that both stores answered and that were compared",
    labels: ["command", "instance_name"]
  )
  package static let uncomparedReplies = MultiStoreMetric(
    name: "multistore_uncompared_replies_total",
    kind: .counter,
    help: "Replies within pipelines and transactions that were not compared, because the key was being copied or stale",
    labels: ["instance_name"]
  )
  package static let differingPipelines = MultiStoreMetric(
    name: "multistore_differing_pipelines_total",
    kind: .counter,
    help: "Pipelines and transactions whose replies differed, by whether the other store just lacks keys (gap)",
    labels: ["command", "instance_name", "kind"]
  )
  package static let differingReplies = MultiStoreMetric(
    name: "multistore_differing_replies_total",
    kind: .counter,
    help: "Replies within pipelines and transactions that differed between the stores, by their own command",
    labels: ["command", "instance_name", "kind"]
  )
  package static let persistentDiff = MultiStoreMetric(
    name: "multistore_persistent_diff_total",
    kind: .counter,
    help:
      "Reads in pipelines and transactions whose replies differed, and differed again when both stores were re-asked",
    labels: ["command", "instance_name", "kind"]
  )
  static let rechecks = MultiStoreMetric(
    name: "multistore_diff_rechecks_total",
    kind: .counter,
    help: "Differences of reads that were to be compared once more, by how that ended",
    labels: ["instance_name", "outcome"]
  )
  static let eventsWritten = MultiStoreMetric(
    name: "multistore_events_total",
    kind: .counter,
    help: "Events handed to the log, by class",
    labels: ["class", "instance_name"]
  )
  static let eventsSuppressed = MultiStoreMetric(
    name: "multistore_events_suppressed_total",
    kind: .counter,
    help: "Events kept from the log by the rate limit, by class",
    labels: ["class", "instance_name"]
  )
  static let defaultStore = MultiStoreMetric(
    name: "multistore_default_store",
    kind: .gauge,
    help: "1 for the store whose reply is the client's, 0 for the other",
    labels: ["instance_name", "store"]
  )
  static let sameStore = MultiStoreMetric(
    name: "multistore_same_store",
    kind: .gauge,
    help: "1 when primary and secondary are the same server and database, so that both flags count as off",
    labels: ["instance_name"]
  )
  static let subscribedClients = MultiStoreMetric(
    name: "multistore_subscribed_clients",
    kind: .gauge,
    help: "Clients that listen to channels or patterns",
    labels: ["instance_name"]
  )
  static let subscriptionMoves = MultiStoreMetric(
    name: "multistore_subscription_moves_total",
    kind: .counter,
    help: "Listening clients that were to move with the default store, by outcome",
    labels: ["instance_name", "outcome"]
  )
  static let blockedMoves = MultiStoreMetric(
    name: "multistore_blocked_commands_moved_total",
    kind: .counter,
    help: "Blocking commands that were taken along when the default store moved",
    labels: ["instance_name"]
  )
  static let watchLosses = MultiStoreMetric(
    name: "multistore_lost_watches_total",
    kind: .counter,
    help: "Transactions answered with nil because their WATCH was lost, by reason",
    labels: ["instance_name", "reason"]
  )
  static let loopBusy = MultiStoreMetric(
    name: "multistore_event_loop_busy_seconds_total",
    kind: .counter,
    help: "Time that the instance's event loop spent working",
    labels: ["instance_name"]
  )
  static let clientRejections = MultiStoreMetric(
    name: "multistore_client_rejected_commands_total",
    kind: .counter,
    help: "Commands that the library's client refused because too many were in flight",
    labels: ["instance_name"]
  )

  /// All of them, in the order of the documentation.
  public static let all: [MultiStoreMetric] = [
    readFallback, pipelinedDiff, methodMissing, inventory,
    commands, latency, inFlight, queuedBytes, storeUp, storeConnections, dedicatedConnections,
    dedicatedConnectionsLimit, connectionFailures, storeRestarts, storeFailovers, storeSentinels,
    primaryReads, fallbackReads, trueMisses, overtakenReads, staleReads, staleKeys, oldestStaleKey,
    healedKeys, storeTrusted, trustLosses, forcedMoves,
    settledChecks, uncheckedKeys, unnamedKeys,
    jobKeys, jobScannedKeys, jobBytes, jobActive, jobProgress, verifiedAt, unhealedDifferences,
    copyFailures, keyCopies, uncopiedWrites, scriptsNotRemembered, pipelines, uncomparedReplies, differingPipelines,
    differingReplies,
    persistentDiff, rechecks,
    eventsWritten, eventsSuppressed, defaultStore, sameStore, subscribedClients, subscriptionMoves, blockedMoves,
    watchLosses, loopBusy,
    clientRejections,
  ]
}
