public import CoreMetrics
public import EventLoop
public import Hiredis
public import Logging
internal import RESP

/// One instance: two stores, two flags, and the routing between them.
///
/// Everything here is confined to the instance's event loop, but for ``flags``, which any thread may set. A Swift
/// server that wants an `async` interface uses ``MultiStoreClient``; the sidecar's sessions use this class.
public final class MultiStore {
  /// How often gauges that follow the loop's own state are written.
  private static let gaugeInterval = Duration.milliseconds(250)

  /// What the instance is made of.
  public let configuration: MultiStoreConfiguration
  /// The instance's two flags.
  public let flags: FeatureFlags
  /// The loop that everything happens on.
  public let loop: EventLoop

  /// What other threads may know of the instance.
  public let status: InstanceStatus
  /// Counts the commands that clients send. Whoever takes them from a client counts them, since not all come here.
  public let inventory: InventoryCounts

  let metrics: InstanceMetrics
  let secondary: Store
  let primary: Store?
  let logger: Logger
  /// Hears what happens to the stores' connections, and keeps the instance out of their references.
  private let storeEvents: StoreEvents
  private var reporter: EventReporter
  private var gaugeTimer: LoopTimer?
  private var busyNanosecondsPublished: UInt64 = 0
  /// Both stores are the same server and database, so that both flags count as off.
  public internal(set) var storesAreSame = false
  var routingState: RoutingState
  /// The instance's first database, which outlives the others; nil for itself.
  unowned let parent: MultiStore?
  /// The other databases. Only the first one has any.
  var databases = DatabaseTable()

  /// Clients that listen, to be taken along when the default store moves.
  var subscriptions = SubscriptionRegistry()
  /// Commands that wait on a connection of their own, to be taken along too.
  var blockedCommands = BlockedCommands()
  var pools = ExecutionPools()
  /// Reads to compare once more; nil unless the configuration asks for that, and before the start.
  private(set) var rechecks: DiffRechecks?
  /// Those that are under way.
  var rawExecutions: [ObjectIdentifier: RawExecution] = [:]
  var scripts = KnownScripts()
  var separateTransactions = SeparateTransactions()
  /// Copies of keys whose dump has not come yet, so that it will contain what the default store executes until then.
  var pendingDumps: [[UInt8]: KeyCopy] = [:]

  /// An instance that has no connection yet.
  ///
  /// - Parameters:
  ///   - loop: where everything happens; ``start()`` is called on it.
  ///   - configuration: the stores, and how they are used.
  ///   - flags: the instance's flags, under its name.
  ///   - logger: where events and connection messages go.
  ///   - metricsFactory: where the counters live; swift-metrics' global one unless said otherwise.
  ///   - inventory: counts the instance's commands; one of its own unless several of these serve one instance.
  public init(
    on loop: EventLoop,
    configuration: MultiStoreConfiguration,
    flags: FeatureFlags,
    logger: Logger,
    metricsFactory: any MetricsFactory = MetricsSystem.factory,
    inventory: InventoryCounts? = nil
  ) {
    self.loop = loop
    self.configuration = configuration
    self.flags = flags
    self.logger = logger
    self.inventory = inventory ?? InventoryCounts(configuration: configuration, metricsFactory: metricsFactory)
    let routing = Routing(flags: FlagState(), canUsePrimary: false, readPolicy: configuration.readPolicy)
    status = InstanceStatus(configuration, routing: routing, now: loop.wallClockMilliseconds)
    parent = nil
    let owner = StoreEvents()
    func store(_ role: StoreRole, _ store: MultiStoreConfiguration.Store) -> Store {
      let family = StoreFamily(
        metrics: StoreMetrics(instance: configuration.name, role: role, factory: metricsFactory),
        dedicatedLimit: configuration.dedicatedConnectionLimit
      )
      return Store(
        on: loop,
        role: role,
        configuration: store,
        instance: configuration,
        family: family,
        owner: owner
      )
    }
    storeEvents = owner
    secondary = store(.secondary, configuration.secondary)
    primary = configuration.primary.map { store(.primary, $0) }
    metrics = InstanceMetrics(configuration, factory: metricsFactory)
    reporter = EventReporter(
      instance: configuration.name,
      eventsPerSecond: configuration.eventsPerSecond,
      logger: logger,
      factory: metricsFactory
    )
    routingState = RoutingState(current: routing)
    owner.multiStore = self
  }

  /// The part of an instance that serves another of its databases.
  init(database: Int, of instance: MultiStore) {
    parent = instance
    loop = instance.loop
    configuration = instance.configuration.selecting(database)
    flags = instance.flags
    logger = instance.logger
    status = instance.status
    inventory = instance.inventory
    metrics = instance.metrics
    reporter = instance.reporter
    routingState = RoutingState(current: instance.routingState.flip.current)
    let owner = StoreEvents()
    storeEvents = owner
    func store(_ store: MultiStoreConfiguration.Store?, beside first: Store?) -> Store? {
      guard let store, let first else { return nil }
      return Store(
        on: instance.loop,
        role: first.role,
        configuration: store,
        instance: instance.configuration,
        family: first.family,
        owner: owner
      )
    }
    guard let secondary = store(configuration.secondary, beside: instance.secondary) else {
      preconditionFailure("an instance has a secondary store")
    }
    self.secondary = secondary
    primary = store(configuration.primary, beside: instance.primary)
    owner.multiStore = self
  }

  /// Opens the connections. They are reopened by themselves from then on.
  public func start() {
    loop.preconditionOnLoop()
    openStores()
    if configuration.keyspaceSampling { sampleKeyspaces() }
    let timer = LoopTimer(on: loop) { [unowned self] in publishGauges() }
    timer.schedule(after: Self.gaugeInterval, repeating: Self.gaugeInterval)
    gaugeTimer = timer
    publishGauges()
  }

  /// Opens the connections to one database.
  func openStores() {
    serveStores()
    secondary.connect()
    primary?.connect()
    if configuration.rechecksDiffs { rechecks = DiffRechecks(of: self) }
  }

  private func sampleKeyspaces() {
    for store in [secondary, primary].compactMap({ $0 }) {
      store.keyspaceSampler = KeyspaceSampler(of: store, on: loop, status: status, logger: logger)
    }
  }

  /// Closes the connections. Commands without a reply are answered with an error.
  public func close() {
    loop.preconditionOnLoop()
    gaugeTimer?.close()
    gaugeTimer = nil
    inventory.publish(now: loop.wallClockMilliseconds)
    routingState.holdTimer?.close()
    rechecks?.close()
    secondary.keyspaceSampler?.close()
    primary?.keyspaceSampler?.close()
    blockedCommands.retryTimer?.close()
    secondary.close()
    primary?.close()
    closeDatabases()
  }

  /// True when a primary is configured: otherwise the instance is a plain pass-through.
  public var hasPrimary: Bool { primary != nil }

  /// Bytes of commands that wait to be sent to the stores.
  public var queuedBytes: Int { secondary.family.queuedBytes + (primary?.family.queuedBytes ?? 0) }

  /// One of the stores. A pass-through instance has only its secondary.
  public func store(_ role: StoreRole) -> Store {
    role == .primary ? primary ?? secondary : secondary
  }

  /// The store that has `connection` as one that sessions share; nil for a session's own.
  public func store(owning connection: HiredisConnection) -> Store? {
    [secondary, primary].lazy.compactMap { $0 }.first { $0.owns(connection) }
  }

  private func publishGauges() {
    secondary.family.publishGauges()
    primary?.family.publishGauges()
    databases.discarded = []
    inventory.publish(now: loop.wallClockMilliseconds)
    // Without a client's command nobody else would notice that the flags have changed.
    if flags.state != routingState.flip.flags { flagsChanged() }
    moveLateSubscriptions()
    metrics.subscribedClients.record(subscriptions.all.count)
    let defaultStore = defaultStore.role
    secondary.metrics.isDefault.record(defaultStore == .secondary ? 1 : 0)
    primary?.metrics.isDefault.record(defaultStore == .primary ? 1 : 0)
    metrics.sameStore.record(storesAreSame ? 1 : 0)
    let busy = loop.busyNanoseconds
    metrics.loopBusy.increment(by: Double(busy - busyNanosecondsPublished) / 1e9)
    busyNanosecondsPublished = busy
  }

  /// Hands an event to the log, unless too many of its class went there already.
  func report(_ eventClass: EventClass, _ make: () -> Event) {
    if let parent { parent.report(eventClass, make) } else { reporter.report(eventClass, now: loop.now, make) }
  }
}
