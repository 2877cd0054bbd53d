internal import PrometheusExposition

/// The metrics of the HTTP listeners.
extension SidecarMetrics {
  static let httpConnections = MetricDescriptor(
    name: "multistore_http_connections",
    kind: .gauge,
    help: "HTTP connections that are open, by listener: metrics or admin",
    labels: ["listener"]
  )
  static let httpConnectionsClosed = MetricDescriptor(
    name: "multistore_http_connections_closed_total",
    kind: .counter,
    help: "HTTP connections that the sidecar has closed because they were too slow or too many, by listener and reason",
    labels: ["listener", "reason"]
  )
}
