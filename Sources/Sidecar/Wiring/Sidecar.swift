internal import EventLoop
internal import HTTPServer
internal import JSONLog
internal import Logging
internal import MultiStore
internal import PrometheusExposition
internal import Proxy
internal import Status
internal import Synchronization

/// The whole sidecar: instances on their threads, the HTTP listeners, the log and the flags, stopped in the reverse
/// order of their start.
///
/// The thread that calls ``run()`` runs a loop of its own for signals and watched files. No client's command passes
/// through it.
public final class Sidecar {
  /// The time limit on flushing the log, after everything else has ended.
  private static let logDeadline = Duration.seconds(2)

  /// The version of this build.
  public static let version = "0.1.0"

  private let configuration: SidecarConfiguration
  private let options: SidecarOptions
  private let sink: JSONLogSink
  private let logger: Logger
  private let registry: PrometheusRegistry
  private let loop: EventLoop
  private let flags: [FeatureFlags]
  private let flagStore: FeatureFlagStore
  private let webConfiguration: WebConfigurationStore
  private let shutdown = Shutdown()
  private let memory: MemoryBudget
  private var instances: [RunningInstance] = []
  private let http: HTTPListeners
  /// The instances with limits that fit the available descriptors.
  private let fitted: DescriptorLimit.Fitted
  private var signals: [SignalWatcher] = []
  private var watches: [FileWatch] = []
  private var statusSampler: StatusSampler?
  private var shutdownTimer: LoopTimer?

  /// Opens the log and reads the flags, without listening.
  ///
  /// - Throws: ``SidecarStartError`` when the log file or the flag file can't be used.
  public init(configuration: SidecarConfiguration, options: SidecarOptions) throws(SidecarStartError) {
    self.configuration = configuration
    self.options = options
    do {
      sink = try JSONLogSink(
        destination: options.logFile == "-" ? .standardError : .file(path: options.logFile),
        queueLimitBytes: configuration.logQueueLimitBytes
      )
    } catch {
      throw SidecarStartError("log file \(options.logFile): \(error); choose another --log.file")
    }
    let level = Logger.Level(rawValue: options.logLevel) ?? .info
    let sink = sink
    logger = Logger(label: "multistore-exporter") {
      // GitLab's log has the field in every exception, and alerts may rely on that.
      JSONLogHandler(sink: sink, label: $0, level: level, exceptionFields: [EventFields.errorMessage])
    }
    registry = PrometheusRegistry(
      describing: SidecarMetrics.all,
      // A metric has at most one series for each command of each instance, and a few more.
      maxSeriesPerMetric: PrometheusRegistry.defaultMaxSeriesPerMetric * max(1, configuration.instances.count)
    )
    do {
      loop = try EventLoop()
    } catch {
      throw SidecarStartError("\(error)")
    }
    flags = configuration.instances.map { FeatureFlags(instanceName: $0.name) }
    do {
      flagStore = try FeatureFlagStore(instances: flags, filePath: configuration.featureFlagFile, logger: logger)
    } catch {
      throw SidecarStartError("feature flags: \(error)")
    }
    memory = MemoryBudget(limit: configuration.memoryLimitBytes)
    webConfiguration = try WebConfigurationStore(file: options.webConfigFile, logger: logger)
    fitted = DescriptorLimit.fit(
      configuration.instances,
      httpListeners: max(1, options.webListenAddresses.count) + 1,
      logger: logger
    )
    http = HTTPListeners(connections: fitted.httpConnections, logger: logger)
  }

  /// Starts everything and returns when it has been stopped by SIGTERM or SIGINT.
  ///
  /// - Throws: ``SidecarStartError`` when a part could not be started; the started parts are stopped again.
  public func run() throws(SidecarStartError) {
    Heap.separateLargeBlocks()
    HostLookup.reserveThreads()
    logger.info("Starting", metadata: ["version": "\(Self.version)"])
    for instance in configuration.instances where instance.isReadBeforeCopies {
      let message = "write_acknowledgement: \(InstanceConfiguration.readBeforeCopies)"
      logger.warning("\(message)", metadata: ["instance_name": "\(instance.name)"])
    }
    do {
      try watchSignals()
      try start(fitted.instances)
      try startHTTP()
    } catch {
      logger.critical("Start failed", metadata: ["reason": "\(error)"])
      stopEverything()
      throw error
    }
    watchFiles()
    logger.info("Started", metadata: ["instances": .stringConvertible(instances.count)])
    loop.run()
    stopEverything()
  }

  // MARK: Starting

  private func start(_ configurations: [InstanceConfiguration]) throws(SidecarStartError) {
    if let folder = configuration.stateDirectory {
      StalenessJournal.reportUnusedFiles(in: folder, instances: configurations.map(\.name), logger: logger)
    }
    for (instance, flags) in zip(configurations, flags) {
      instances.append(
        try RunningInstance(
          instance,
          flags: flags,
          stateDirectory: configuration.stateDirectory,
          memory: memory,
          registry: registry,
          logger: logger
        )
      )
    }
  }

  private func startHTTP() throws(SidecarStartError) {
    let statuses = instances.map(\.server.multiStore.status)
    MetricsPage.register(in: registry, instances: statuses, flags: flagStore, web: webConfiguration, log: sink)
    let journals = instances.compactMap { instance in
      instance.journal.map { (instance.configuration.name, $0) }
    }
    MetricsPage.register(journals, in: registry)
    MetricsPage.registerTLS(of: fitted.instances, admin: configuration.adminTLS, in: registry)
    memory.register(in: registry)
    let (registry, shutdown) = (registry, shutdown)
    let sources = instances.map { instance in
      StatusBoard.Source(
        status: instance.server.multiStore.status,
        flags: instance.flags,
        inventory: instance.server.inventory.inventory,
        stores: instance.configuration.stores
      )
    }
    let board = StatusBoard(sources, registry: registry)
    let status = StatusRoutes { board.report() }
    statusSampler = StatusSampler(on: loop, board)
    let inventories = sources.map(\.inventory)
    let accesses = instances.map(\.access)
    let flips = zip(instances, accesses).map { instance, access in
      FlipGuard.Instance(
        flags: instance.flags,
        access: access,
        maxKeysAtFlip: instance.configuration.limits.maxKeysAtFlip,
        journal: instance.journal
      )
    }
    let routes =
      FeatureRoutes(flagStore, flips: FlipGuard(flips)).routes
      + [.report(AdminPath.inventory) { InventoryReport(inventories) }, status.api]
      + [.staleKeys(of: accesses), .acceptStaleKeys(of: accesses), .trust(in: accesses)]
      + JobRoutes(of: accesses).routes
    // Before the web listeners: a sidecar whose health probe succeeds accepts requests of its operator.
    try http.startAdmin(
      options.adminListenAddress,
      token: adminToken(),
      tls: configuration.adminTLS,
      routes: routes
    )
    try http.startWeb(options, access: webConfiguration.access) { () throws(TelemetryPathError) in
      try MetricsPage.routes(telemetryPath: options.telemetryPath, registry: registry, status: status) {
        shutdown.hasBegun ? .shuttingDown : Readiness(of: statuses)
      }
    }
    MetricsPage.register(http.connections, in: registry)
  }

  private func adminToken() throws(SidecarStartError) -> BearerToken? {
    guard let secret = configuration.adminToken else { return nil }
    do {
      return try BearerToken(contentsOfFile: Array(secret.value.utf8))
    } catch {
      throw SidecarStartError("admin.token_file: \(error)")
    }
  }

  // MARK: Signals and files

  private func watchSignals() throws(SidecarStartError) {
    do {
      for signal in [Signal.terminate, .interrupt] {
        signals.append(try SignalWatcher(on: loop, signal: signal.number) { [unowned self] in shutDown(signal) })
      }
      signals.append(
        try SignalWatcher(on: loop, signal: Signal.hangUp.number) { [unowned self] in
          sink.reopen()
          flagStore.reload(reason: "SIGHUP")
          reloadWebConfiguration(because: "SIGHUP")
        }
      )
    } catch {
      throw SidecarStartError("signals: \(error)")
    }
  }

  private func watchFiles() {
    let flagStore = flagStore
    if flagStore.filePath != nil {
      watches.append(
        FileWatch(on: loop, of: "the feature flag file", logger: logger, folders: { flagStore.watchedDirectories }) {
          flagStore.reload(reason: $0)
        }
      )
    }
    let webConfiguration = webConfiguration
    if options.webConfigFile != nil {
      watches.append(
        FileWatch(on: loop, of: "the web configuration", logger: logger, folders: { webConfiguration.watchedFolders }) {
          [unowned self] in reloadWebConfiguration(because: $0)
        }
      )
    }
  }

  private func reloadWebConfiguration(because reason: String) {
    if let access = webConfiguration.reload(reason: reason) { http.apply(access) }
  }

  // MARK: Stopping

  /// Accepts no more clients, finishes the commands of connected ones, and then ends. A second signal ends at once.
  private func shutDown(_ signal: Signal) {
    guard shutdown.begin(awaiting: instances.count) else { return loop.stop() }
    logger.notice("Shutting down", metadata: ["signal": "\(signal)"])
    let timer = LoopTimer(on: loop) { [unowned self] in
      logger.warning("Commands or copies were still in flight after shutdown_timeout and are cut off")
      loop.stop()
    }
    timer.schedule(after: configuration.shutdownTimeout)
    shutdownTimer = timer
    let (main, shutdown) = (loop, shutdown)
    for instance in instances {
      let server = instance.server
      instance.loop.execute {
        server.drain { if shutdown.didDrain() { main.stop() } }
      }
    }
  }

  private func stopEverything() {
    for instance in instances { instance.stop() }
    for instance in instances { instance.join() }
    http.stop()
    watches.forEach { $0.close() }
    watches = []
    statusSampler?.close()
    signals.forEach { $0.close() }
    shutdownTimer?.close()
    loop.close()
    logger.info("Stopped")
    // The last: it waits for a resolver that does not answer.
    for instance in instances { instance.loop.close() }
    instances = []
    _ = sink.close(deadline: Self.logDeadline)
  }
}
