internal import MultiStore
internal import PrometheusExposition
internal import TLS

extension MetricsPage {
  /// Adds TLS to the stores of instances.
  static func registerTLS(of instances: [InstanceConfiguration], in registry: PrometheusRegistry) {
    let clients = instances.flatMap { instance in
      [(StoreRole.primary, instance.primary), (.secondary, instance.secondary)].compactMap { role, store in
        store?.tls.map { (labels: [("instance_name", instance.name), ("store", role.label)], client: $0) }
      }
    }
    guard !clients.isEmpty else { return }
    registry.collect { writer in
      for (labels, client) in clients { write(client, labels, into: &writer) }
    }
  }

  private static func write(_ client: TLSClient, _ labels: [(String, String)], into writer: inout SampleWriter) {
    let statistics = client.statistics
    let full = statistics.handshakes - statistics.resumptions
    for (label, count) in [("no", full), ("yes", statistics.resumptions)] {
      writer.counter(SidecarMetrics.storeTLSHandshakes.name, labels: labels + [("resumed", label)], Double(count))
    }
    for reason in TLSFailure.Reason.allCases {
      let count = Double(statistics.failures[reason] ?? 0)
      writer.counter(SidecarMetrics.storeTLSFailures.name, labels: labels + [("reason", reason.rawValue)], count)
    }
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
}
