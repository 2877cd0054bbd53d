internal import PrometheusExposition

/// The metrics of logins that are held back.
extension ProxyMetrics {
  static let authenticationsDelayed = MetricDescriptor(
    name: "multistore_client_authentications_delayed_total",
    kind: .counter,
    help: "Logins of clients that had to wait because another from the same address had a wrong name or password",
    labels: ["instance_name"]
  )
  static let authenticationDelaysShared = MetricDescriptor(
    name: "multistore_client_authentication_delays_shared_total",
    kind: .counter,
    help: "Wrong logins from more addresses than delays are kept for, which wait for each other",
    labels: ["instance_name"]
  )
}
