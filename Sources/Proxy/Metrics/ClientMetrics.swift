package import PrometheusExposition

/// The reasons for which the sidecar ends a client's connection: the label `reason`.
enum ClientCloseReason: String, CaseIterable {
  case maxClients = "max_clients"
  case idleTimeout = "idle_timeout"
  case inputBufferLimit = "input_buffer_limit"
  case outputBufferLimit = "output_buffer_limit"
  /// The client used more than others when `memory_limit` was reached.
  case memoryLimit = "memory_limit"
  case protocolError = "protocol_error"
  case killed = "client_kill"
  /// The handshake of TLS was not done in time.
  case handshakeTimeout = "handshake_timeout"
  /// The handshake of TLS failed, or the protocol was violated after it.
  case tlsFailure = "tls_failure"
  /// The client's certificate is missing or not accepted.
  case certificate = "client_certificate"
  /// The store's connection with the client's subscriptions was lost, or messages may have been lost in a move.
  case subscriptionLost = "subscription_lost"
  case shutdown
}

/// The metrics of an instance's front side. Recording is lock-free and allowed on any thread.
package struct ClientMetrics {
  let connected: Gauge
  let accepted: Counter
  /// Logins that had to wait.
  let loginsDelayed: Counter
  /// Wrong passwords from networks whose delay could not be kept apart.
  let loginDelaysShared: Counter
  /// Clients that wait for the end of a pause.
  let paused: Gauge
  /// Clients that wait for room for a large command.
  let waitingForMemory: Gauge
  /// Commands and transactions that were refused because of `memory_limit`.
  let memoryRefusals: Counter
  private let authenticationFailures: Counter
  private let closed: [ClientCloseReason: Counter]

  /// - Parameter maxClients: the most clients that may be connected at once.
  package init(instance: String, maxClients: Int, registry: PrometheusRegistry) {
    let label = ("instance_name", instance)
    registry.gauge(ProxyMetrics.clientsLimit.name, labels: [label]).set(Double(maxClients))
    connected = registry.gauge(ProxyMetrics.clients.name, labels: [label])
    accepted = registry.counter(ProxyMetrics.clientsAccepted.name, labels: [label])
    loginsDelayed = registry.counter(ProxyMetrics.authenticationsDelayed.name, labels: [label])
    loginDelaysShared = registry.counter(ProxyMetrics.authenticationDelaysShared.name, labels: [label])
    paused = registry.gauge(ProxyMetrics.clientsPaused.name, labels: [label])
    waitingForMemory = registry.gauge(ProxyMetrics.clientsWaitingForMemory.name, labels: [label])
    memoryRefusals = registry.counter(ProxyMetrics.memoryRefusals.name, labels: [label])
    authenticationFailures = registry.counter(ProxyMetrics.authenticationFailures.name, labels: [label])
    closed = Dictionary(
      uniqueKeysWithValues: ClientCloseReason.allCases.map {
        ($0, registry.counter(ProxyMetrics.clientsClosed.name, labels: [label, ("reason", $0.rawValue)]))
      }
    )
  }

  /// Counts a wrong name or password of a client.
  func loginFailed() {
    authenticationFailures.increment()
  }

  /// Counts a client's connection that the sidecar has ended.
  func closed(_ reason: ClientCloseReason) {
    closed[reason]?.increment()
  }
}
