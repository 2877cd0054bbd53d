internal import HTTPServer
internal import JSONLog
internal import MultiStore
internal import PrometheusExposition
internal import Status

/// The routes of the metrics listener, and the samples that are taken during a scrape.
enum MetricsPage {
  static func routes(
    telemetryPath: String,
    registry: PrometheusRegistry,
    status: StatusRoutes,
    readiness: @escaping @Sendable () -> Readiness
  ) throws(TelemetryPathError) -> [HTTPRoute] {
    let landingPage = LandingPage(
      name: "multistore-exporter",
      version: Sidecar.version,
      description: "Moves an application from one Redis to another: dual writes, fallback reads, and what differs.",
      links: [
        LandingPage.Link(
          address: StatusRoutes.pagePath,
          text: "Status",
          description: "how far each migration is, and whether its next step is safe"
        ),
        LandingPage.Link(address: AdminPath.status, text: "Status as JSON", description: "the same for programs"),
      ]
    )
    let routes = try WebRoutes(
      telemetryPath: telemetryPath,
      landingPage: landingPage,
      metricsPage: { accept in
        let format = ExpositionFormat.negotiate(accept: accept)
        return (format.contentType, registry.exposition(format))
      },
      readiness: readiness
    )
    return routes.routes + status.page + [status.api]
  }

  /// Adds the metrics that are not counted as events happen, but read during a scrape.
  static func register(
    in registry: PrometheusRegistry,
    instances: [InstanceStatus],
    flags: FeatureFlagStore,
    web: WebConfigurationStore,
    log: JSONLogSink
  ) {
    ProcessCollector.register(in: registry)
    registry.gauge(SidecarMetrics.buildInfo.name, labels: [("version", Sidecar.version)]).set(1)
    let webStatistics = web.statistics
    registry.collect { writer in
      for instance in instances { writeState(of: instance, into: &writer) }
      writeFlags(flags.statistics, into: &writer)
      writeWeb(webStatistics(), into: &writer)
      writeLog(log.statistics, into: &writer)
    }
  }

  /// Adds the connections of the HTTP listeners, by name.
  static func register(
    _ listeners: [(listener: String, counts: [HTTPConnectionCounts])],
    in registry: PrometheusRegistry
  ) {
    registry.collect { writer in
      for (listener, counts) in listeners {
        let label = ("listener", listener)
        writer.gauge(SidecarMetrics.httpConnections.name, labels: [label], Double(counts.reduce(0) { $0 + $1.open }))
        for reason in HTTPCloseReason.allCases {
          let closed = counts.reduce(0) { $0 + $1.closed(reason) }
          let labels = [label, ("reason", reason.rawValue)]
          writer.counter(SidecarMetrics.httpConnectionsClosed.name, labels: labels, Double(closed))
        }
      }
    }
  }

  /// Writes the state of an instance. It is computed for each scrape, so that series of a former state disappear.
  private static func writeState(of instance: InstanceStatus, into writer: inout SampleWriter) {
    let label = ("instance_name", instance.instanceName)
    let effective = instance.effective
    let routing = [label, ("reads", effective.reads), ("writes", effective.writes), ("replies", effective.replies)]
    writer.gauge(SidecarMetrics.effectiveRouting.name, labels: routing, 1)
    writer.gauge(SidecarMetrics.effectiveState.name, labels: [label], Double(effective.state))
    writer.gauge(SidecarMetrics.effectiveSince.name, labels: [label], Double(effective.sinceMilliseconds) / 1000)
    for role in instance.roles {
      guard let keyspace = instance.keyspace(of: role) else { continue }
      let labels = [label, ("store", role.label)]
      writer.gauge(SidecarMetrics.storeKeys.name, labels: labels, Double(keyspace.keys))
      writer.gauge(SidecarMetrics.storeExpiringKeys.name, labels: labels, Double(keyspace.expiringKeys))
      if let average = keyspace.averageTTLMilliseconds {
        writer.gauge(SidecarMetrics.storeAverageTTL.name, labels: labels, Double(average) / 1000)
      }
      if let longest = keyspace.longestTTLMilliseconds {
        writer.gauge(SidecarMetrics.storeLongestTTL.name, labels: labels, Double(longest) / 1000)
      }
    }
  }

  private static func writeFlags(_ statistics: FlagStatistics, into writer: inout SampleWriter) {
    for flag in statistics.flags {
      let labels = [("flag", flag.flag.label), ("instance_name", flag.instanceName)]
      writer.gauge(SidecarMetrics.flag.name, labels: labels, flag.isOn ? 1 : 0)
      writer.gauge(SidecarMetrics.flagSource.name, labels: labels + [("source", flag.source.rawValue)], 1)
      writer.gauge(SidecarMetrics.flagLastChange.name, labels: labels, flag.lastChangeSeconds ?? 0)
    }
    writer.counter(SidecarMetrics.flagGeneration.name, Double(statistics.generation))
    writer.counter(SidecarMetrics.flagReloads.name, Double(statistics.reloads))
    writer.gauge(SidecarMetrics.flagLastReload.name, statistics.lastReloadSeconds ?? 0)
    writer.counter(SidecarMetrics.flagReloadFailures.name, Double(statistics.reloadFailures))
    writer.gauge(SidecarMetrics.flagReloadSucceeded.name, statistics.lastReloadSucceeded ? 1 : 0)
  }

  private static func writeWeb(_ statistics: WebConfigurationStatistics, into writer: inout SampleWriter) {
    writer.counter(SidecarMetrics.webReloads.name, Double(statistics.reloads))
    writer.counter(SidecarMetrics.webReloadFailures.name, Double(statistics.reloadFailures))
    writer.gauge(SidecarMetrics.webReloadSucceeded.name, statistics.lastReloadSucceeded ? 1 : 0)
  }

  private static func writeLog(_ statistics: LogStatistics, into writer: inout SampleWriter) {
    writer.counter(SidecarMetrics.logLines.name, Double(statistics.written))
    let dropped = [
      ("queue_full", statistics.droppedQueueFull), ("write_error", statistics.droppedWriteError),
      ("closed", statistics.droppedClosed),
    ]
    for (reason, count) in dropped {
      writer.counter(SidecarMetrics.logDropped.name, labels: [("reason", reason)], Double(count))
    }
    writer.gauge(SidecarMetrics.logQueued.name, Double(statistics.queuedBytes))
    writer.counter(SidecarMetrics.logReopenFailures.name, Double(statistics.reopenFailures))
  }
}

extension FeatureFlag {
  /// The value of the label `flag`: the flag's name without the instance.
  fileprivate var label: String {
    switch self {
    case .dualWrite: "use_primary_and_secondary_stores"
    case .primaryAsDefault: "use_primary_store_as_default"
    }
  }
}

extension Readiness {
  /// Creates the readiness of the instances: each one's default store has to be up. The other one never counts: a new
  /// store that is down must not take the application down.
  init(of instances: [InstanceStatus]) {
    let missing = instances.compactMap { instance in
      let role = instance.defaultStore
      return instance.problem(with: role).map {
        UnreadyStore(instance: instance.instanceName, store: role.label, reason: $0)
      }
    }
    self = missing.isEmpty ? .ready : .unready(missing)
  }
}
