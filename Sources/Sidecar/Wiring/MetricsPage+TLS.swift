internal import MultiStore
internal import PrometheusExposition
internal import TLS

extension MetricsPage {
  private typealias Labels = [(String, String)]

  /// Adds TLS to the stores of instances, and to their clients.
  static func registerTLS(of instances: [InstanceConfiguration], in registry: PrometheusRegistry) {
    let clients = instances.flatMap { instance in
      [(StoreRole.primary, instance.primary), (.secondary, instance.secondary)].compactMap { role, store in
        store?.tls.map { (labels: [("instance_name", instance.name), ("store", role.label)], client: $0) }
      }
    }
    let servers = instances.compactMap { instance in
      instance.tls.map { (labels: [("instance_name", instance.name)], server: $0.server) }
    }
    guard !clients.isEmpty || !servers.isEmpty else { return }
    registry.collect { writer in
      for (labels, client) in clients { write(client, labels, into: &writer) }
      for (labels, server) in servers { write(server, labels, into: &writer) }
    }
  }

  private static func write(_ client: TLSClient, _ labels: Labels, into writer: inout SampleWriter) {
    let statistics = client.statistics
    write(statistics, SidecarMetrics.storeTLSHandshakes, SidecarMetrics.storeTLSFailures, labels, into: &writer)
    if let info = statistics.last {
      let words = labels + [("version", info.version), ("cipher", info.cipher)]
      writer.gauge(SidecarMetrics.storeTLSInfo.name, labels: words, 1)
      if let time = info.peerExpiration {
        writer.gauge(SidecarMetrics.storeCertificateExpiration.name, labels: labels, Double(time))
      }
    }
    if let time = client.certificateExpiration {
      writer.gauge(SidecarMetrics.clientCertificateExpiration.name, labels: labels, Double(time))
    }
    writer.gauge(SidecarMetrics.storeCertificatesUsable.name, labels: labels, client.reloadProblem == nil ? 1 : 0)
  }

  private static func write(_ server: TLSServer, _ labels: Labels, into writer: inout SampleWriter) {
    write(
      server.statistics,
      SidecarMetrics.listenerTLSHandshakes,
      SidecarMetrics.listenerTLSFailures,
      labels,
      into: &writer
    )
    if let time = server.certificateExpiration {
      writer.gauge(SidecarMetrics.listenerCertificateExpiration.name, labels: labels, Double(time))
    }
    writer.gauge(SidecarMetrics.listenerCertificatesUsable.name, labels: labels, server.reloadProblem == nil ? 1 : 0)
  }

  private static func write(
    _ statistics: TLSStatistics,
    _ handshakes: MetricDescriptor,
    _ failures: MetricDescriptor,
    _ labels: Labels,
    into writer: inout SampleWriter
  ) {
    let full = statistics.handshakes - statistics.resumptions
    for (label, count) in [("no", full), ("yes", statistics.resumptions)] {
      writer.counter(handshakes.name, labels: labels + [("resumed", label)], Double(count))
    }
    for reason in TLSFailure.Reason.allCases {
      let count = Double(statistics.failures[reason] ?? 0)
      writer.counter(failures.name, labels: labels + [("reason", reason.rawValue)], count)
    }
  }
}
