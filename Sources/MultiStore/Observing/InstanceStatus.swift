internal import Synchronization

/// The state of an instance for other threads: its effective state, and that of its stores. Any thread.
///
/// The instance's loop writes it when something changes, never for each command.
public final class InstanceStatus: Sendable {
  private struct StoreStatus {
    var address: String
    var isReady = false
    var reason = "not connected yet"
    var serverVersion: String?
    var keyspace: StoreKeyspace?
    var restartedMilliseconds: Int64?
    var trust = StoreTrust.trusted
    var staleKeys = 0
    var oldestStaleMilliseconds: Int64?
  }

  private struct State {
    var effective: EffectiveState
    var stores: [StoreRole: StoreStatus] = [:]
    var jobs: [KeyJobKind: KeyJobProgress] = [:]
    var verifiedMilliseconds: Int64?
  }

  /// The instance's name.
  public let instanceName: String
  private let state: Mutex<State>

  init(_ configuration: MultiStoreConfiguration, routing: Routing, now: Int64) {
    instanceName = configuration.name
    let isPassThrough = configuration.primary == nil
    var state = State(
      effective: EffectiveState(routing: routing, isPassThrough: isPassThrough, sinceMilliseconds: now)
    )
    func store(_ store: MultiStoreConfiguration.Store) -> StoreStatus {
      StoreStatus(address: store.endpoint.location.description)
    }
    state.stores[.secondary] = store(configuration.secondary)
    state.stores[.primary] = configuration.primary.map(store)
    self.state = Mutex(state)
  }

  /// The state that applies to the next command.
  public var effective: EffectiveState { state.withLock { $0.effective } }

  /// The store whose reply the client gets.
  public var defaultStore: StoreRole { effective.routing.defaultStore }

  /// The stores that are configured, the primary first.
  public var roles: [StoreRole] {
    state.withLock { state in StoreRole.allCases.filter { state.stores[$0] != nil } }
  }

  /// The reason why a store can't be used, or nil when it can.
  public func problem(with role: StoreRole) -> String? {
    state.withLock { state in
      guard let store = state.stores[role] else { return "not configured" }
      return store.isReady ? nil : store.reason
    }
  }

  /// The address of a store's server, without secrets: `127.0.0.1:6379` or `unix:/path`; the place of its sentinels
  /// while they have not named it; nil if the store is not configured.
  public func address(of role: StoreRole) -> String? {
    state.withLock { $0.stores[role]?.address }
  }

  /// The version that a store's server reported when it was connected last; nil while it is not known.
  public func serverVersion(of role: StoreRole) -> String? {
    state.withLock { $0.stores[role]?.serverVersion }
  }

  /// The keys in a store's database, as of the last quarter of a minute; nil while they are not known: the store is not
  /// connected, it refuses the commands, or the configuration disables sampling.
  public func keyspace(of role: StoreRole) -> StoreKeyspace? {
    state.withLock { $0.stores[role]?.keyspace }
  }

  /// The time at which a store came back last as another process than before, in milliseconds since 1970; nil if none
  /// has.
  public var lastRestartMilliseconds: Int64? {
    state.withLock { $0.stores.values.compactMap(\.restartedMilliseconds).max() }
  }

  /// The trust in a store: whether unknown keys may be outdated on it. It has no meaning for the default store.
  public func trust(of role: StoreRole) -> StoreTrust {
    state.withLock { $0.stores[role]?.trust ?? .trusted }
  }

  /// The number of keys that are known to be stale on a store, as of the last quarter of a second.
  public func staleKeys(of role: StoreRole) -> Int {
    state.withLock { $0.stores[role]?.staleKeys ?? 0 }
  }

  /// The time at which a store's oldest stale key became stale, in milliseconds since 1970, as of the last seconds; nil
  /// if there is none.
  public func oldestStaleMilliseconds(of role: StoreRole) -> Int64? {
    state.withLock { $0.stores[role]?.oldestStaleMilliseconds }
  }

  /// The progress of the last job of each kind, as of the last quarter of a second.
  public var jobs: [KeyJobProgress] {
    state.withLock { state in KeyJobKind.allCases.compactMap { state.jobs[$0] } }
  }

  /// The time at which a verification has found both stores equal, in milliseconds since 1970; nil if none has, or if
  /// something happened since that makes it worthless.
  public var verifiedMilliseconds: Int64? { state.withLock { $0.verifiedMilliseconds } }

  func set(_ jobs: [KeyJobKind: KeyJobProgress]) {
    state.withLock { $0.jobs = jobs }
  }

  func set(verifiedMilliseconds: Int64?) {
    state.withLock { $0.verifiedMilliseconds = verifiedMilliseconds }
  }

  func set(_ trust: StoreTrust, of role: StoreRole) {
    state.withLock { $0.stores[role]?.trust = trust }
  }

  func set(staleKeys: Int, oldestMilliseconds: Int64?, of role: StoreRole) {
    state.withLock { state in
      state.stores[role]?.staleKeys = staleKeys
      state.stores[role]?.oldestStaleMilliseconds = oldestMilliseconds
    }
  }

  func located(_ role: StoreRole, at address: String) {
    state.withLock { $0.stores[role]?.address = address }
  }

  func connected(_ role: StoreRole, at address: String, serverVersion: String?) {
    state.withLock { state in
      state.stores[role]?.isReady = true
      state.stores[role]?.address = address
      state.stores[role]?.serverVersion = serverVersion
    }
  }

  func lost(_ role: StoreRole, because reason: String) {
    state.withLock { state in
      state.stores[role]?.isReady = false
      state.stores[role]?.reason = reason
      state.stores[role]?.keyspace = nil
    }
  }

  func restarted(_ role: StoreRole, now: Int64) {
    state.withLock { $0.stores[role]?.restartedMilliseconds = now }
  }

  func set(_ keyspace: StoreKeyspace?, of role: StoreRole) {
    state.withLock { $0.stores[role]?.keyspace = keyspace }
  }

  func set(areSame: Bool) {
    state.withLock { $0.effective.storesAreSame = areSame }
  }

  /// Notes that another routing is active.
  func set(_ routing: Routing, now: Int64) {
    state.withLock { state in
      state.effective.routing = routing
      state.effective.sinceMilliseconds = now
    }
  }
}
