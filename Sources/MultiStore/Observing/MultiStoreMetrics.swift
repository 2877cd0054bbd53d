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
