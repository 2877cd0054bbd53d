package import PrometheusExposition

/// The metrics of clients and of the resources that they use.
package enum ProxyMetrics {
  package static let clients = MetricDescriptor(
    name: "multistore_client_connections",
    kind: .gauge,
    help: "Clients that are connected",
    labels: ["instance_name"]
  )
  static let clientsLimit = MetricDescriptor(
    name: "multistore_client_connections_limit",
    kind: .gauge,
    help: "The most clients that may be connected at once",
    labels: ["instance_name"]
  )
  static let clientsAccepted = MetricDescriptor(
    name: "multistore_client_connections_accepted_total",
    kind: .counter,
    help: "Clients that have connected",
    labels: ["instance_name"]
  )
  static let clientsClosed = MetricDescriptor(
    name: "multistore_client_connections_closed_total",
    kind: .counter,
    help: "Clients whose connection the sidecar ended, by reason",
    labels: ["instance_name", "reason"]
  )
  static let clientsPaused = MetricDescriptor(
    name: "multistore_clients_paused",
    kind: .gauge,
    help: "Clients whose next command waits for the end of a CLIENT PAUSE",
    labels: ["instance_name"]
  )
  static let authenticationFailures = MetricDescriptor(
    name: "multistore_client_authentication_failures_total",
    kind: .counter,
    help: "Logins of clients that were refused for a wrong name or password",
    labels: ["instance_name"]
  )

  /// All descriptors, in the order of the documentation.
  package static let all: [MetricDescriptor] = [
    clients, clientsLimit, clientsAccepted, clientsClosed, clientsPaused,
    memoryLimit, memory, clientsWaitingForMemory, memoryRefusals,
    authenticationFailures, authenticationsDelayed, authenticationDelaysShared,
  ]
}
