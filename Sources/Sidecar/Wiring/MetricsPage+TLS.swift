internal import MultiStore
internal import PrometheusExposition
internal import TLS

extension MetricsPage {
  private typealias Labels = [(String, String)]

  /// Adds TLS to the stores of instances, to their clients, and of the admin API.
  static func registerTLS(
    of instances: [InstanceConfiguration],
    admin: TLSServer?,
    in registry: PrometheusRegistry
  ) {
    let clients = instances.flatMap { instance in
      [(StoreRole.primary, instance.primary), (.secondary, instance.secondary)].compactMap { role, store in
        store?.tls.map { (labels: [("instance_name", instance.name), ("store", role.label)], client: $0) }
      }
    }
    let servers = instances.compactMap { instance in
      instance.tls.map { (labels: [("instance_name", instance.name)], server: $0.server) }
    }
    guard !clients.isEmpty || !servers.isEmpty || admin != nil else { return }
    registry.collect { writer in
      for (labels, client) in clients { write(client, labels, into: &writer) }
      for (labels, server) in servers { write(server, labels, into: &writer) }
      if let admin {
        let (expiration, usable) = (SidecarMetrics.adminCertificateExpiration, SidecarMetrics.adminCertificatesUsable)
        write(admin, expiration, usable, [], into: &writer)
      }
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
    let (expiration, usable) = (SidecarMetrics.listenerCertificateExpiration, SidecarMetrics.listenerCertificatesUsable)
    write(server, expiration, usable, labels, into: &writer)
  }

  /// Writes the state of a server's files. They are looked at here, too: clients may stay connected for weeks, and a
  /// certificate that was replaced meanwhile must not seem to expire.
  private static func write(
    _ server: TLSServer,
    _ expiration: MetricDescriptor,
    _ usable: MetricDescriptor,
    _ labels: Labels,
    into writer: inout SampleWriter
  ) {
    if let time = server.currentCredentials()?.expiration {
      writer.gauge(expiration.name, labels: labels, Double(time))
    }
    writer.gauge(usable.name, labels: labels, server.reloadProblem == nil ? 1 : 0)
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
