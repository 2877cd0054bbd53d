internal import PrometheusExposition

/// The metrics of TLS. A store, a listener and the admin API have them if they use TLS.
extension SidecarMetrics {
  static let storeTLSInfo = MetricDescriptor(
    name: "multistore_store_tls_info",
    kind: .gauge,
    help: "Always 1; the labels have the version and the cipher of the latest handshake with the store",
    labels: ["instance_name", "store", "version", "cipher"]
  )
  static let storeTLSHandshakes = MetricDescriptor(
    name: "multistore_store_tls_handshakes_total",
    kind: .counter,
    help: "Handshakes of TLS with the store that succeeded; resumed is yes for those without certificates",
    labels: ["instance_name", "store", "resumed"]
  )
  static let storeTLSFailures = MetricDescriptor(
    name: "multistore_store_tls_failures_total",
    kind: .counter,
    help: "Handshakes of TLS with the store that failed, and connections whose TLS was broken, by reason",
    labels: ["instance_name", "store", "reason"]
  )
  static let storeCertificateExpiration = MetricDescriptor(
    name: "multistore_store_certificate_not_after_timestamp_seconds",
    kind: .gauge,
    help: "When the certificate expires that the store showed last, in Unix time",
    labels: ["instance_name", "store"]
  )
  static let clientCertificateExpiration = MetricDescriptor(
    name: "multistore_store_client_certificate_not_after_timestamp_seconds",
    kind: .gauge,
    help: "When the sidecar's own certificate for the store expires, in Unix time",
    labels: ["instance_name", "store"]
  )
  static let storeCertificatesUsable = MetricDescriptor(
    name: "multistore_store_tls_files_usable",
    kind: .gauge,
    help: "0 while changed certificates and keys for the store cannot be used, and those before still are",
    labels: ["instance_name", "store"]
  )

  static let listenerTLSHandshakes = MetricDescriptor(
    name: "multistore_listener_tls_handshakes_total",
    kind: .counter,
    help: "Handshakes of TLS with clients that succeeded; resumed is yes for those without certificates",
    labels: ["instance_name", "resumed"]
  )
  static let listenerTLSFailures = MetricDescriptor(
    name: "multistore_listener_tls_failures_total",
    kind: .counter,
    help: "Handshakes of TLS with clients that failed, and connections whose TLS was broken, by reason",
    labels: ["instance_name", "reason"]
  )
  static let listenerCertificateExpiration = MetricDescriptor(
    name: "multistore_listener_certificate_not_after_timestamp_seconds",
    kind: .gauge,
    help: "When the certificate expires that clients see, in Unix time",
    labels: ["instance_name"]
  )
  static let listenerCertificatesUsable = MetricDescriptor(
    name: "multistore_listener_tls_files_usable",
    kind: .gauge,
    help: "0 while the listener's changed certificate and key cannot be used, and those before still are",
    labels: ["instance_name"]
  )

  static let adminCertificateExpiration = MetricDescriptor(
    name: "multistore_admin_certificate_not_after_timestamp_seconds",
    kind: .gauge,
    help: "When the certificate of the admin API expires, in Unix time"
  )
  static let adminCertificatesUsable = MetricDescriptor(
    name: "multistore_admin_tls_files_usable",
    kind: .gauge,
    help: "0 while the changed certificate and key of the admin API cannot be used, and those before still are"
  )

  static let serverTLS = [
    listenerTLSHandshakes, listenerTLSFailures, listenerCertificateExpiration, listenerCertificatesUsable,
    adminCertificateExpiration, adminCertificatesUsable,
  ]

  static let storeTLS = [
    storeTLSInfo, storeTLSHandshakes, storeTLSFailures, storeCertificateExpiration, clientCertificateExpiration,
    storeCertificatesUsable,
  ]
}
