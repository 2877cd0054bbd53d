internal import CoreMetrics

/// Why the sidecar ended a client's connection: the label `reason`.
enum ClientCloseReason: String, CaseIterable {
  case maxClients = "max_clients"
  case idleTimeout = "idle_timeout"
  case inputBufferLimit = "input_buffer_limit"
  case outputBufferLimit = "output_buffer_limit"
  case protocolError = "protocol_error"
  case shutdown
}

/// The metrics of an instance's front side. Recording is lock-free and allowed on any thread.
struct ClientMetrics {
  let connected: Gauge
  let accepted: Counter
  private let closed: [ClientCloseReason: Counter]

  init(instance: String, factory: any MetricsFactory) {
    let label = ("instance_name", instance)
    connected = Gauge(label: SidecarMetrics.clients.name, dimensions: [label], factory: factory)
    accepted = Counter(label: SidecarMetrics.clientsAccepted.name, dimensions: [label], factory: factory)
    closed = Dictionary(
      uniqueKeysWithValues: ClientCloseReason.allCases.map {
        let labels = [label, ("reason", $0.rawValue)]
        return ($0, Counter(label: SidecarMetrics.clientsClosed.name, dimensions: labels, factory: factory))
      }
    )
    connected.record(0)
  }

  /// The sidecar ended a client's connection.
  func closed(_ reason: ClientCloseReason) {
    closed[reason]?.increment()
  }
}
