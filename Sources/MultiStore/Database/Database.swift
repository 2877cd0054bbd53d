internal import CoreMetrics
internal import EventLoop
public import Hiredis
internal import RESP

/// One database of an instance: its connections to both stores, and what is in flight over them. Everything else is
/// the ``Instance``'s. Loop-confined.
public final class Database {
  /// The instance, which outlives the database. It is retained, so that a command gets at it with one load and no
  /// reference is counted; ``MultiStore`` ends the cycle.
  public let instance: Instance
  /// The instance's, with the numbers of this database.
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
  /// Whether keys that are written are noted there.
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

  /// The store whose reply is the client's, for commands in flight.
  public var defaultStore: Store { store(instance.routingState.flip.current.defaultStore) }

  /// The store that has `connection` as one that sessions share; nil for a session's own.
  public func store(owning connection: HiredisConnection) -> Store? {
    stores.first { $0.owns(connection) }
  }

  var stores: [Store] { [secondary, primary].compactMap { $0 } }

  /// Opens the connections. They are reopened by themselves from then on.
  func open() {
    serveStores()
    for store in stores { store.connect() }
    if configuration.rechecksDiffs { rechecks = DiffRechecks(of: self) }
    if notesWrittenKeys { settledChecks = SettledChecks(of: self, perSecond: configuration.settledChecksPerSecond) }
  }

  /// Closes the connections. Commands without a reply are answered with an error.
  func close() {
    rechecks?.close()
    settledChecks?.close()
    for store in stores { store.close() }
    pools.close()
  }

  /// Takes the stores out of what is counted for all databases together.
  func leaveFamilies() {
    for store in stores { store.leaveFamily() }
  }

  /// An execution that writes to both stores begins, and flips wait for it.
  ///
  /// Executions don't ask the instance themselves: they do not own the database, and would retain both.
  ///
  /// - Returns: the loop's clock.
  @discardableResult
  func dualExecutionBegan() -> UInt64 { instance.dualExecutionBegan() }

  /// An execution that writes to both stores has ended.
  func dualExecutionEnded() { instance.dualExecutionEnded() }

  /// Applies the meaning of a store's role for how long commands may wait for it. The other store is a guest: no client
  /// waits for it for longer than `otherStoreTimeout`.
  func serveStores() {
    let defaultRole = instance.routingState.flip.current.defaultStore
    for store in stores {
      store.isDefault = store.role == defaultRole
      store.serve(as: store.isDefault ? .patient : .bestEffort(timeout: configuration.otherStoreTimeout))
    }
  }
}
