public import CoreMetrics
public import EventLoop
public import Hiredis
public import Logging
public import RESP

/// One instance: two stores, two flags, and the routing between them.
///
/// Everything here is confined to the instance's event loop, but for ``flags``, which any thread may set. A Swift server
/// that wants an `async` interface uses ``MultiStoreClient``; the sidecar's sessions use this class.
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

  let metrics: InstanceMetrics
  private let secondary: Store
  private let primary: Store?
  private let logger: Logger
  private var reporter: EventReporter
  private var gaugeTimer: LoopTimer?
  private var busyNanosecondsPublished: UInt64 = 0
  /// Both stores are the same server and database, so that both flags count as off.
  public private(set) var storesAreSame = false
  private var lastRouting: Routing
  private var lastFlags = FlagState()

  private var batches: [CommandBatch] = []
  private var dualWrites: [DualWrite] = []
  private var fallbackReads: [FallbackRead] = []
  private var pipelines: [PipelineExecution] = []
  /// The most idle objects of each kind that are kept for reuse.
  private static let poolLimit = 1024

  /// An instance that has no connection yet.
  ///
  /// - Parameters:
  ///   - loop: where everything happens; ``start()`` is called on it.
  ///   - flags: the instance's flags, under its name.
  ///   - logger: where events and connection messages go.
  ///   - metricsFactory: where the counters live; swift-metrics' global one unless said otherwise.
  public init(
    on loop: EventLoop,
    configuration: MultiStoreConfiguration,
    flags: FeatureFlags,
    logger: Logger,
    metricsFactory: any MetricsFactory = MetricsSystem.factory
  ) {
    self.loop = loop
    self.configuration = configuration
    self.flags = flags
    self.logger = logger
    status = InstanceStatus(
      instanceName: configuration.name,
      flags: flags,
      hasPrimary: configuration.primary != nil
    )
    let owner = StoreEvents()
    func store(_ role: StoreRole, _ store: MultiStoreConfiguration.Store) -> Store {
      let metrics = StoreMetrics(instance: configuration.name, role: role, factory: metricsFactory)
      return Store(
        on: loop,
        role: role,
        configuration: store,
        instance: configuration,
        metrics: metrics,
        owner: owner
      )
    }
    storeEvents = owner
    secondary = store(.secondary, configuration.secondary)
    primary = configuration.primary.map { store(.primary, $0) }
    metrics = InstanceMetrics(
      instance: configuration.name,
      hasPrimary: configuration.primary != nil,
      factory: metricsFactory
    )
    reporter = EventReporter(
      instance: configuration.name,
      eventsPerSecond: configuration.eventsPerSecond,
      logger: logger,
      factory: metricsFactory
    )
    lastRouting = Routing(flags: FlagState(), canUsePrimary: false, readPolicy: configuration.readPolicy)
    owner.multiStore = self
  }
  private let storeEvents: StoreEvents

  /// Opens the connections. They are reopened by themselves from then on.
  public func start() {
    loop.preconditionOnLoop()
    secondary.connect()
    primary?.connect()
    let timer = LoopTimer(on: loop) { [weak self] in self?.publishGauges() }
    timer.schedule(after: Self.gaugeInterval, repeating: Self.gaugeInterval)
    gaugeTimer = timer
    publishGauges()
  }

  /// Closes the connections. Commands without a reply are answered with an error.
  public func close() {
    loop.preconditionOnLoop()
    gaugeTimer?.close()
    gaugeTimer = nil
    secondary.close()
    primary?.close()
  }

  /// True when a primary is configured: otherwise the instance is a plain pass-through.
  public var hasPrimary: Bool { primary != nil }

  /// What the flags mean for the next command, pipeline or transaction.
  public var routing: Routing {
    let state = flags.state
    if state != lastFlags {
      if lastFlags.dualWrite, !state.dualWrite { forgetStaleKeys() }
      lastFlags = state
      updateRouting()
    }
    return lastRouting
  }

  /// One of the stores. A pass-through instance has only its secondary.
  public func store(_ role: StoreRole) -> Store {
    role == .primary ? primary ?? secondary : secondary
  }

  private func updateRouting() {
    lastRouting = Routing(
      flags: lastFlags,
      canUsePrimary: primary != nil && !storesAreSame,
      readPolicy: configuration.readPolicy
    )
  }

  /// With dual writes off a store misses all writes: which keys failed before says nothing any more.
  private func forgetStaleKeys() {
    secondary.stale.removeAll()
    primary?.stale.removeAll()
  }

  private func publishGauges() {
    secondary.publishGauges()
    primary?.publishGauges()
    let defaultStore = routing.defaultStore
    secondary.metrics.isDefault.record(defaultStore == .secondary ? 1 : 0)
    primary?.metrics.isDefault.record(defaultStore == .primary ? 1 : 0)
    metrics.sameStore.record(storesAreSame ? 1 : 0)
    let busy = loop.busyNanoseconds
    metrics.loopBusy.increment(by: Double(busy - busyNanosecondsPublished) / 1e9)
    busyNanosecondsPublished = busy
  }
}

// MARK: Executing

extension MultiStore {
  /// The connection of `role` for commands of `commandClass`.
  public func connection(to role: StoreRole, for commandClass: CommandClass) -> HiredisConnection {
    let store = store(role)
    switch commandClass {
    case .script, .unlisted, .pubsub, .blocking: return store.isolated
    case .read, .keyspaceRead, .write, .connection, .transaction: return store.ordinary
    }
  }

  /// A batch without commands.
  public func makeBatch() -> CommandBatch {
    batches.popLast() ?? CommandBatch()
  }

  /// Executes a batch as the state of the flags asks for, and writes its replies into `sink`'s output.
  ///
  /// - Parameters:
  ///   - batch: at least one command of the classes `read`, `keyspaceRead` and `write`, or anything in a transaction. The
  ///     instance takes it over.
  ///   - kind: `single` for one command, `pipelined` for several, `multi` for what stood between MULTI and EXEC.
  ///   - connection: where the default store is reached; its ordinary connection unless the session watches keys.
  ///   - sink: told when all replies are there. Never before this call returns.
  public func execute(
    _ batch: CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection? = nil,
    for sink: ReplySink
  ) {
    if kind == .single, connection == nil {
      let commandClass = batch.withCommand(0) { CommandTable.spec(batch.commands[0].id).commandClass(ofCommand: $0) }
      switch routing.route(for: commandClass) {
      case .dualWrite:
        return (dualWrites.popLast() ?? DualWrite(multiStore: self)).start(batch, routing: routing, sink: sink)
      case .primaryWithFallback:
        return (fallbackReads.popLast() ?? FallbackRead(multiStore: self)).start(batch, routing: routing, sink: sink)
      case .single(let role):
        let connection = self.connection(to: role, for: commandClass)
        return startPipeline(batch, kind, routing, connection, sink)
      }
    }
    startPipeline(batch, kind, routing, connection ?? store(routing.defaultStore).ordinary, sink)
  }

  private func startPipeline(
    _ batch: CommandBatch,
    _ kind: BatchKind,
    _ routing: Routing,
    _ connection: HiredisConnection,
    _ sink: ReplySink
  ) {
    let execution = pipelines.popLast() ?? PipelineExecution(multiStore: self)
    execution.start(batch, kind: kind, routing: routing, over: connection, sink: sink)
  }

  /// Takes back a batch that was not executed.
  public func recycle(_ batch: CommandBatch) {
    batch.removeAll()
    if batches.count < Self.poolLimit { batches.append(batch) }
  }

  func recycle(_ execution: DualWrite) {
    if dualWrites.count < Self.poolLimit { dualWrites.append(execution) }
  }

  func recycle(_ execution: FallbackRead) {
    if fallbackReads.count < Self.poolLimit { fallbackReads.append(execution) }
  }

  func recycle(_ execution: PipelineExecution) {
    if pipelines.count < Self.poolLimit { pipelines.append(execution) }
  }

  /// How writes are turned into what `other` executes, at this moment.
  func copyPlanner(for other: Store) -> CopyPlanner {
    CopyPlanner(now: loop.wallClockMilliseconds, hasAbsoluteExpiry: other.hasAbsoluteExpiry)
  }
}

// MARK: What goes wrong

extension MultiStore {
  /// Counts and logs a command that is neither a known read nor a known write.
  public func methodMissing(_ id: CommandID) {
    guard hasPrimary, CommandTable.spec(id).countsAsMethodMissing else { return }
    metrics.methodMissing(id)
    report(.methodMissing) {
      Event(
        eventClass: .methodMissing,
        exceptionClass: "Gitlab::Redis::MultiStore::MethodMissingError",
        message: "Method missing. Falling back to execute method on the redis default store.",
        commandName: CommandTable.spec(id).label
      )
    }
  }

  /// True when commands that are neither a known read nor a known write are refused.
  public var rejectsUnlistedCommands: Bool { configuration.unlistedCommands == .reject }

  /// A command outside of routing is about to be sent to the default store alone: it is counted as what it is, and what
  /// it may change is stale on the other store.
  public func willExecuteOnDefaultStoreAlone(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    methodMissing(spec.id)
    guard routing.isDual, spec.mayStayUncopied else { return }
    store(routing.defaultStore.other).markStale(command, spec)
    metrics.uncopiedWrite(spec.id)
  }

  func leftUncopied(_ batch: CommandBatch, _ index: Int, on role: StoreRole) {
    let spec = CommandTable.spec(batch.commands[index].id)
    batch.withCommand(index) { store(role).markStale($0, spec) }
    metrics.uncopiedWrite(spec.id)
  }

  /// The secondary had what the primary lacked.
  func fellBack(_ batch: CommandBatch, _ index: Int = 0) {
    let spec = CommandTable.spec(batch.commands[index].id)
    metrics.fellBack(spec.id)
    report(.readFromPrimary) {
      Event(
        eventClass: .readFromPrimary,
        exceptionClass: "Gitlab::Redis::MultiStore::ReadFromPrimaryError",
        message: "Value not found on the redis primary store. Read from the redis secondary store successful.",
        commandName: spec.label,
        extra: shownCommand(batch, index)
      )
    }
  }

  func readFailed(_ batch: CommandBatch, on role: StoreRole, _ exceptionClass: String, _ description: String) {
    storeFailed(
      exceptionClass,
      description,
      command: CommandTable.spec(batch.commands[0].id).label,
      "Failed to read from the redis \(role.messageName)."
    )
  }

  func copyFailed(_ batch: CommandBatch, _ index: Int, on role: StoreRole, _ failure: CopyFailure) {
    let spec = CommandTable.spec(batch.commands[index].id)
    let store = store(role)
    batch.withCommand(index) { store.markStale($0, spec) }
    store.metrics.copyFailed(failure.reason)
    storeFailed(
      failure.exceptionClass,
      failure.description,
      command: spec.label,
      "Failed to write to the redis \(role.messageName)."
    )
  }

  /// The default store may or may not have executed a write, so the other store may or may not lack it.
  func markUnknown(_ batch: CommandBatch, _ index: Int, on role: StoreRole) {
    let spec = CommandTable.spec(batch.commands[index].id)
    guard spec.commandClass == .write else { return }
    let store = store(role)
    batch.withCommand(index) { store.markStale($0, spec) }
    store.metrics.copyFailed(.defaultUnknown)
  }

  func pipelineFailed(_ kind: BatchKind, on role: StoreRole, _ exceptionClass: String, _ description: String) {
    storeFailed(
      exceptionClass,
      description,
      command: kind.label,
      "Failed to execute pipeline on the redis \(role.messageName)."
    )
  }

  func pipelineCopyFailed(_ kind: BatchKind, on role: StoreRole, _ failure: CopyFailure) {
    store(role).metrics.copyFailed(failure.reason)
    pipelineFailed(kind, on: role, failure.exceptionClass, failure.description)
  }

  /// Both stores answered a pipeline or transaction, and the answers differ.
  func differed(_ kind: BatchKind, _ diff: PipelineDiff, defaultStore: StoreRole) {
    metrics.differed(kind)
    report(.pipelinedDiff) {
      let ofPrimary = defaultStore == .primary ? diff.defaultDescription : diff.otherDescription
      let ofSecondary = defaultStore == .primary ? diff.otherDescription : diff.defaultDescription
      return Event(
        eventClass: .pipelinedDiff,
        exceptionClass: "Gitlab::Redis::MultiStore::PipelinedDiffError",
        message: "Pipelined command executed on both stores successfully but results differ between them. "
          + "Result from the primary: \(ofPrimary). Result from the secondary: \(ofSecondary).",
        commandName: kind.label,
        extra: [
          "extra.first_differing_index": .stringConvertible(diff.firstIndex),
          "extra.first_differing_command": "\(diff.firstCommand)",
          "extra.differing_elements": .stringConvertible(diff.count),
        ]
      )
    }
  }

  private func storeFailed(_ exceptionClass: String, _ description: String, command: String, _ errorMessage: String) {
    report(.storeFailure) {
      Event(
        eventClass: .storeFailure,
        exceptionClass: exceptionClass,
        message: description,
        commandName: command,
        errorMessage: errorMessage
      )
    }
  }

  private func report(_ eventClass: EventClass, _ make: () -> Event) {
    reporter.report(eventClass, now: loop.now, make)
  }

  /// The command with its arguments, if the configuration asks for values in events.
  private func shownCommand(_ batch: CommandBatch, _ index: Int) -> Logger.Metadata {
    guard configuration.logValues else { return [:] }
    let words = batch.withCommand(index) { command in
      var words: [String] = []
      var arguments = ArgumentCursor(command)
      while words.count < 16, let argument = arguments.next() {
        words.append(String(decoding: argument.array.prefix(256), as: UTF8.self))
      }
      return words
    }
    return ["extra.command": .array(words.map { .string($0) })]
  }
}

// MARK: Stores coming and going

/// Hears what happens to the stores' connections, and keeps the instance out of their references.
private final class StoreEvents: StoreOwner {
  weak var multiStore: MultiStore?

  func store(_ store: Store, didIdentify identity: ServerIdentity) {
    multiStore?.identified(store, as: identity)
  }

  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason) {
    multiStore?.lost(store, because: reason)
  }
}

extension MultiStore {
  fileprivate func identified(_ store: Store, as identity: ServerIdentity) {
    logger.info(
      "Store connected",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "server_version": "\(identity.version ?? "unknown")",
      ]
    )
    status.set(store.role, isReady: true)
    guard let primary, let first = primary.identity, let second = secondary.identity else { return }
    if first.runID == nil || second.runID == nil {
      logger.warning(
        "Can't tell whether both stores are the same server: allow the command INFO to the store's user",
        metadata: ["instance_name": "\(configuration.name)"]
      )
    }
    let areSame = first.runID != nil && first.runID == second.runID && first.database == second.database
    guard areSame != storesAreSame else { return }
    storesAreSame = areSame
    status.set(areSame: areSame)
    updateRouting()
    metrics.sameStore.record(areSame ? 1 : 0)
    if areSame {
      logger.error(
        "Primary and secondary are the same server and database: both feature flags count as off",
        metadata: ["instance_name": "\(configuration.name)", "run_id": "\(first.runID ?? "")"]
      )
    } else {
      logger.notice(
        "Primary and secondary are different again: the feature flags are in force",
        metadata: ["instance_name": "\(configuration.name)"]
      )
    }
  }

  fileprivate func lost(_ store: Store, because reason: ConnectionDownReason) {
    status.set(store.role, isReady: false, reason: reason.description)
    logger.error(
      "Store unavailable",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "reason": "\(reason)",
      ]
    )
  }
}

extension CommandSpec {
  /// Neither a known read nor a known write, nor the protocol's own: counted as method missing. INFO is counted nowhere.
  var countsAsMethodMissing: Bool {
    commandClass == .unlisted && !traits.contains(.notCounted)
  }

  /// A write that may be executed on the default store alone.
  var mayStayUncopied: Bool {
    switch commandClass {
    case .write: effect != .verbatim
    case .blocking, .script: true
    default: false
    }
  }
}
