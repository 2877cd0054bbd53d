internal import CoreMetrics
public import EventLoop
internal import Hiredis
internal import Logging
internal import RESP
internal import Stores

/// The parts that the databases of one instance share: two flags and the routing that follows from them, the clients
/// that move with the default store, scripts, counters and events.
///
/// Confined to the instance's event loop, but for ``flags``, ``status`` and ``inventory``.
public final class Instance {
  /// The interval at which gauges of the loop's own state are written.
  private static let gaugeInterval = Duration.milliseconds(250)

  /// The configuration of the instance.
  public let configuration: MultiStoreConfiguration
  /// The instance's two flags.
  public let flags: FeatureFlags
  /// The loop that everything runs on.
  public let loop: EventLoop
  /// The state of the instance, for other threads.
  public let status: InstanceStatus
  /// The counts of the commands that clients send. The caller counts each command that it accepts, since not all of
  /// them get here.
  public let inventory: InventoryCounts

  let metrics: InstanceMetrics
  let logger: Logger
  /// Each store, with the connections to all databases.
  let secondary: StoreFamily
  let primary: StoreFamily?
  /// The configured stores, the secondary first.
  let families: [StoreFamily]
  let reporter: InstanceReporter
  private var gaugeTimer: LoopTimer?
  /// Whether it was closed: no flip begins any more.
  private(set) var isClosed = false
  private var busyNanosecondsPublished: UInt64 = 0
  /// The number of times that gauges were written.
  var ticks: UInt64 = 0
  /// The number of ticks between two searches for the oldest stale key: five seconds.
  static let ticksPerOldest: UInt64 = 20

  /// The number of ticks between two looks for blocked commands whose store hangs: a second.
  private static let ticksPerExpiry: UInt64 = 4

  /// Whether both stores are the same server and database, so that both flags count as off.
  var storesAreSame = false
  var routingState: RoutingState
  let databases = DatabaseTable()
  /// The clients with subscriptions, which move with the default store.
  let subscriptions = SubscriptionRegistry()
  /// The commands that block on dedicated connections, which move with the default store as well.
  let blockedCommands = BlockedCommands()
  var scripts = KnownScripts()
  /// The scripts that are loaded into the next default store while commands wait for the move; nil before.
  var scriptLoad: ScriptLoad?
  let functions = KnownFunctions()
  /// The copies of all functions to the other store, and the one in flight.
  var functionCopies = FunctionCopyState()
  var functionCopy: FunctionCopy?
  private(set) var keyQueue: KeyQueue!
  private(set) var jobs: KeyJobs!
  /// The number of events after which keys may differ that a verification under way has not seen: another routing, a
  /// loss of trust, another process of a store.
  var epoch = 0
  /// The time at which a verification has found both stores equal, in milliseconds since 1970; nil if none has, or if
  /// something happened since that makes it worthless.
  var verifiedMilliseconds: Int64?
  /// Set if a store could not tell whether the other one was emptied: whether dual write had just begun.
  var owedLookForEmptiedStore: Bool?
  /// Whether dual write is on, or was: a write to one store alone leaves a stale key on the other.
  var wasDual = false
  /// Whether this applies now: dual write is off after it was on, and all keys that are outdated are known.
  public internal(set) var marksWrites = false
  /// Records outdated keys beyond the process; nil if they are lost with it.
  let recorder: (any StalenessRecorder)?
  /// The last routing that the recorder got.
  var recordedRouting: StalenessChange?
  /// The last process' knowledge, until the start.
  private var memory: StalenessMemory?

  init(
    on loop: EventLoop,
    configuration: MultiStoreConfiguration,
    flags: FeatureFlags,
    logger: Logger,
    metricsFactory: any MetricsFactory,
    inventory: InventoryCounts?,
    memory: StalenessMemory?
  ) {
    self.loop = loop
    self.configuration = configuration
    self.flags = flags
    self.logger = logger
    self.inventory = inventory ?? InventoryCounts(configuration: configuration, metricsFactory: metricsFactory)
    self.memory = memory
    recorder = memory?.recorder
    // The last process' default store may differ from that of the current flags.
    let before = FlagState(primaryAsDefault: memory?.snapshot.defaultStore == .primary)
    let routing = Routing(
      flags: before,
      canUsePrimary: configuration.primary != nil,
      readPolicy: configuration.readPolicy
    )
    status = InstanceStatus(configuration, routing: routing, now: loop.wallClockMilliseconds)
    func family(_ role: StoreRole, of store: MultiStoreConfiguration.Store) -> StoreFamily {
      StoreFamily(
        role,
        connections: StoreConnections(on: loop, to: store.endpoint),
        metrics: StoreMetrics(
          instance: configuration.name,
          role: role,
          hasSentinels: store.endpoint.hasSentinels,
          factory: metricsFactory
        ),
        dedicatedLimit: configuration.dedicatedConnectionLimit
      )
    }
    secondary = family(.secondary, of: configuration.secondary)
    primary = configuration.primary.map { family(.primary, of: $0) }
    families = [secondary, primary].compactMap(\.self)
    metrics = InstanceMetrics(configuration, factory: metricsFactory)
    reporter = InstanceReporter(
      on: loop,
      configuration: configuration,
      metrics: metrics,
      logger: logger,
      factory: metricsFactory
    )
    routingState = RoutingState(current: routing)
    keyQueue = KeyQueue(of: self, keysPerSecond: configuration.keysPerSecond)
    jobs = KeyJobs(of: self)
    for family in families {
      family.trustDidChange = { [unowned self] in trustDidChange(of: $0) }
      family.trustWasLostAgain = { [unowned self] in mayDiffer() }
      family.connections.serverDidMove = { [unowned self] in serverDidMove(of: family, from: $0, to: $1) }
    }
  }

  func start() {
    loop.preconditionOnLoop()
    if let memory = memory.take() { restore(memory) }
    noteRouting()
    databases[configuration.secondary.endpoint.database]?.open()
    if configuration.keyspaceSampling {
      let countsOthers = configuration.servesOtherDatabases
      for family in families {
        family.sampleKeyspace(on: loop, status: status, countsOtherDatabases: countsOthers, logger: logger)
      }
    }
    let timer = LoopTimer(on: loop) { [unowned self] in publishGauges() }
    timer.schedule(after: Self.gaugeInterval, repeating: Self.gaugeInterval)
    gaugeTimer = timer
    publishGauges()
  }

  func close() {
    loop.preconditionOnLoop()
    isClosed = true
    gaugeTimer?.close()
    gaugeTimer = nil
    inventory.publish(now: loop.wallClockMilliseconds)
    routingState.holdTimer?.close()
    for family in families { family.close() }
    blockedCommands.close()
    databases.close()
    keyQueue.close()
    jobs.close()
    // Commands in flight fail at the end of this turn, and their keys become stale then.
    if let recorder { loop.atEndOfNextTurn(StopRecord(recorder)) }
  }

  /// Whether a primary is configured: otherwise the instance is a plain pass-through.
  public var hasPrimary: Bool { primary != nil }

  /// Bytes of commands that wait to be sent to the stores.
  public var queuedBytes: Int { families.reduce(0) { $0 + $1.queuedBytes } }

  /// One of the stores. A pass-through instance has only its secondary.
  func family(_ role: StoreRole) -> StoreFamily { role == .primary ? primary ?? secondary : secondary }

  /// Calls `then` once nothing is in flight to either store over a shared connection: by then every write that only the
  /// default store has acknowledged is copied, unless the copy has failed. The call may come before this function
  /// returns. Later commands delay it.
  public func whenSettled(_ then: @escaping () -> Void) {
    loop.preconditionOnLoop()
    guard let busy = families.first(where: { $0.isBusy }) else { return then() }
    busy.fence { [weak self] in
      // A step of a copy may have been followed by another one.
      self?.whenSettled(then)
    }
  }

  private func publishGauges() {
    for family in families { family.publishGauges() }
    publishStaleKeys()
    if ticks.isMultiple(of: Self.ticksPerExpiry) { blockedCommands.expire() }
    lookAgainForEmptiedStore()
    jobs.proceed()
    databases.releaseDiscarded()
    inventory.publish(now: loop.wallClockMilliseconds)
    // Without commands from clients, no other code notices a change of the flags.
    applyFlags()
    moveLateSubscriptions()
    copyFunctions()
    metrics.subscribedClients.record(subscriptions.count)
    let defaultStore = routingState.flip.current.defaultStore
    secondary.metrics.isDefault.record(defaultStore == .secondary ? 1 : 0)
    primary?.metrics.isDefault.record(defaultStore == .primary ? 1 : 0)
    metrics.sameStore.record(storesAreSame ? 1 : 0)
    let busy = loop.busyNanoseconds
    metrics.loopBusy.increment(by: Double(busy - busyNanosecondsPublished) / 1e9)
    busyNanosecondsPublished = busy
  }
}

/// Records a clean stop when everything before it is recorded.
private final class StopRecord: EndOfTurnWorker {
  private let recorder: any StalenessRecorder

  init(_ recorder: any StalenessRecorder) {
    self.recorder = recorder
  }

  func endOfTurn() { recorder.append(.stopped) }
}
