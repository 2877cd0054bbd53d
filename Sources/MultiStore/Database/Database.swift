internal import CoreMetrics
internal import EventLoop
public import Hiredis
internal import RESP

/// One database of an instance: its connections to both stores, and what is in flight over them. Everything else is
/// the ``Instance``'s. Loop-confined.
public final class Database {
  /// The instance, which outlives the database. It is retained, so that a command reaches it with one load and without
  /// counting a reference; ``MultiStore`` ends the cycle.
  public let instance: Instance
  /// The instance's configuration, with the numbers of this database.
  let configuration: MultiStoreConfiguration
  let loop: EventLoop
  let metrics: InstanceMetrics
  let reporter: InstanceReporter
  let secondary: Store
  let primary: Store?

  var pools = ExecutionPools()
  /// Reads to compare once more; nil unless the configuration asks for that, and before the start.
  private(set) var rechecks: DiffRechecks?
  /// Keys that were written to both stores, to be compared; none if the configuration does not ask for that.
  var quietKeys = QuietKeys()
  /// Whether keys that are written are noted in ``quietKeys``.
  let notesWrittenKeys: Bool
  private(set) var settledChecks: SettledChecks?
  /// Raw executions in flight.
  var rawExecutions: [ObjectIdentifier: RawExecution] = [:]
  var separateTransactions = SeparateTransactions()
  var pendingDumps = PendingDumps()

  /// A database that has no connection yet.
  init(_ configuration: MultiStoreConfiguration, of instance: Instance) {
    self.instance = instance
    self.configuration = configuration
    loop = instance.loop
    metrics = instance.metrics
    reporter = instance.reporter
    notesWrittenKeys = configuration.primary != nil && configuration.settledChecksPerSecond > 0
    func store(_ role: StoreRole, _ store: MultiStoreConfiguration.Store) -> Store {
      Store(
        on: instance.loop,
        role: role,
        configuration: store,
        instance: configuration,
        family: instance.family(role),
        owner: instance
      )
    }
    secondary = store(.secondary, configuration.secondary)
    primary = configuration.primary.map { store(.primary, $0) }
    secondary.counterpart = primary
    primary?.counterpart = secondary
  }

  /// The database's number, by which the application has always known it: the old store's. The new store may keep the
  /// instance's first one under another.
  public var number: Int { secondary.database }

  /// Whether a primary is configured: otherwise the instance is a plain pass-through.
  public var hasPrimary: Bool { primary != nil }

  /// One of the stores. A pass-through instance has only its secondary.
  public func store(_ role: StoreRole) -> Store {
    role == .primary ? primary ?? secondary : secondary
  }

  /// The store whose reply the client gets, for commands in flight.
  public var defaultStore: Store { store(instance.routingState.flip.current.defaultStore) }

  /// The store that has `connection` as one that sessions share; nil for a session's own.
  public func store(owning connection: HiredisConnection) -> Store? {
    stores.first { $0.owns(connection) }
  }

  var stores: [Store] { [secondary, primary].compactMap { $0 } }

  /// Opens the connections. Lost connections are reopened automatically.
  func open() {
    serveStores()
    for store in stores { store.connect() }
    if configuration.rechecksDiffs { rechecks = DiffRechecks(of: self) }
    if notesWrittenKeys { settledChecks = SettledChecks(of: self) }
  }

  /// Closes the connections. Commands without a reply are answered with an error.
  func close() {
    rechecks?.close()
    settledChecks?.close()
    for store in stores { store.close() }
    pools.close()
  }

  /// Removes the stores from the counts of all databases together.
  func leaveFamilies() {
    for store in stores { store.leaveFamily() }
  }

  /// Notes the beginning of an execution that writes to both stores. Flips wait for its end.
  ///
  /// - Returns: the loop's clock.
  @discardableResult
  func dualExecutionBegan() -> UInt64 { instance.dualExecutionBegan() }

  /// Notes the end of an execution that writes to both stores.
  func dualExecutionEnded() { instance.dualExecutionEnded() }

  /// Sets how long commands may wait for each store, by its role. No client waits for the other store for longer than
  /// `otherStoreTimeout`.
  func serveStores() {
    let defaultRole = instance.routingState.flip.current.defaultStore
    for store in stores {
      store.isDefault = store.role == defaultRole
      store.serve(as: store.isDefault ? .patient : .bestEffort(timeout: configuration.otherStoreTimeout))
    }
  }
}
