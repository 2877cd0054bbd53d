public import CoreMetrics
public import EventLoop
public import Hiredis
public import Logging
public import RESP

/// Two stores, two flags, and the routing between them, on an event loop of the caller's.
///
/// The façade of an ``Instance`` and its first ``Database``. Everything here is confined to the instance's event loop,
/// but for ``flags``, which any thread may set. A Swift server that wants an `async` interface uses
/// ``MultiStoreClient``; the sidecar's sessions use the databases that their clients have selected.
public final class MultiStore {
  /// The parts that the databases share: flags, routing, subscriptions, reporting.
  public let instance: Instance
  /// The first database, which exists from the start.
  public let database: Database

  /// An instance that has no connection yet.
  ///
  /// - Parameters:
  ///   - loop: the loop that everything runs on; ``start()`` is called on it.
  ///   - configuration: the stores, and how they are used.
  ///   - flags: the instance's flags, under its name.
  ///   - logger: the destination of events and connection messages.
  ///   - metricsFactory: makes the counters; swift-metrics' global one by default.
  ///   - inventory: the counts of the instance's commands, shared if several of these serve one instance; by default
  ///     one of its own.
  ///   - memory: the last process' knowledge of outdated keys; without it they are lost when the process ends.
  public init(
    on loop: EventLoop,
    configuration: MultiStoreConfiguration,
    flags: FeatureFlags,
    logger: Logger,
    metricsFactory: any MetricsFactory = MetricsSystem.factory,
    inventory: InventoryCounts? = nil,
    memory: StalenessMemory? = nil
  ) {
    instance = Instance(
      on: loop,
      configuration: configuration,
      flags: flags,
      logger: logger,
      metricsFactory: metricsFactory,
      inventory: inventory,
      memory: memory
    )
    database = instance.makeFirstDatabase()
  }

  /// Databases retain the instance, which retains them.
  deinit { instance.databases.removeAll() }

  /// Opens the connections. Lost connections are reopened automatically.
  public func start() { instance.start() }

  /// Closes the connections. Commands without a reply are answered with an error.
  public func close() { instance.close() }
}

// MARK: The instance

extension MultiStore {
  /// The configuration of the instance.
  public var configuration: MultiStoreConfiguration { instance.configuration }

  /// The instance's two flags.
  public var flags: FeatureFlags { instance.flags }

  /// The loop that everything runs on.
  public var loop: EventLoop { instance.loop }

  /// The state of the instance, for other threads.
  public var status: InstanceStatus { instance.status }

  /// The counts of the commands that clients send. The caller counts each command that it accepts, since not all of
  /// them get here.
  public var inventory: InventoryCounts { instance.inventory }

  /// Whether a primary is configured: otherwise the instance is a plain pass-through.
  public var hasPrimary: Bool { instance.hasPrimary }

  /// Bytes of commands that wait to be sent to the stores.
  public var queuedBytes: Int { instance.queuedBytes }

  /// The routing for the next command; see ``Instance/routing(orNotify:watching:)``.
  public func routing(orNotify waiter: any RoutingWaiter, watching watch: KeyWatch? = nil) -> Routing? {
    instance.routing(orNotify: waiter, watching: watch)
  }

  /// The refusal of a command that the configuration does not allow; nil for all others.
  public func refusal(of spec: CommandSpec) -> CommandRefusal? { instance.refusal(of: spec) }

  /// Counts and logs a command that is neither a known read nor a known write.
  public func methodMissing(_ id: CommandID) { instance.methodMissing(id) }

  /// Calls `then` once nothing is in flight; see ``Instance/whenSettled(_:)``.
  public func whenSettled(_ then: @escaping () -> Void) { instance.whenSettled(then) }

  /// Finds a database by its number; see ``Instance/select(_:then:)``.
  public func select(_ number: Int, then: @escaping (Result<Database, DatabaseRefusal>) -> Void) {
    instance.select(number, then: then)
  }
}

// MARK: The first database

extension MultiStore {
  /// One of the stores. A pass-through instance has only its secondary.
  public func store(_ role: StoreRole) -> Store { database.store(role) }

  /// The store whose reply the client gets, for commands in flight.
  public var defaultStore: Store { database.defaultStore }

  /// A batch without commands.
  public func makeBatch() -> CommandBatch { database.makeBatch() }

  /// Takes back a batch that was not executed.
  public func recycle(_ batch: CommandBatch) { database.recycle(batch) }

  /// Executes a batch; see ``Database/execute(_:as:routing:over:for:)``.
  public func execute(
    _ batch: CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection? = nil,
    for sink: any ReplySink
  ) {
    database.execute(batch, as: kind, routing: routing, over: connection, for: sink)
  }

  /// Executes a blocking command; see ``Database/executeBlocking(_:routing:over:for:)``.
  public func executeBlocking(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    for sink: any BlockingSink
  ) {
    database.executeBlocking(batch, routing: routing, over: connection, for: sink)
  }

  /// Counts a command outside of routing, which is about to be sent to the default store alone, as what it is. The keys
  /// that it may change become stale on the other store.
  public func willExecuteOnDefaultStoreAlone(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    database.willExecuteOnDefaultStoreAlone(command, spec, routing: routing)
  }
}
