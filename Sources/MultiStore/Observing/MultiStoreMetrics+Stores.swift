/// The stores, and the moves of the default between them.
extension MultiStoreMetrics {
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
}
