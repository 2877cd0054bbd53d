internal import CoreMetrics
internal import EventLoop
public import Hiredis
public import RESP
internal import Stores

/// One store of one instance: its connections, what is known about it, and which of its keys are stale.
///
/// All dual-written commands go over the one *ordinary* connection, which keeps both stores' order the same. Scripts
/// and unlisted commands go over *isolated* ones, so that ordinary commands suffer neither from a reply that ends its
/// connection nor from a script that never ends. Blocking commands and WATCH get *dedicated* ones. Loop-confined.
public final class Store {
  /// The role of the store.
  public let role: StoreRole
  /// The connection for reads and writes.
  public let ordinary: HiredisConnection
  let metrics: StoreMetrics
  /// The store in all databases, this one included.
  let family: StoreFamily
  /// Whether it is of the instance's first database, which stands for the store as a whole.
  let isFirst: Bool
  var stale: StaleKeys
  /// Whether the client gets its reply.
  var isDefault = false
  /// Keys that are being copied to this store, each with its copies, which may be several.
  private var keysBeingCopied: [[UInt8]: [KeyCopy]] = [:]
  /// The server's identity when the ordinary connection became ready last.
  private(set) var identity: ServerIdentity?
  /// The reason why the ordinary connection is not ready; nil while it is, and before the first attempt ended.
  public private(set) var unavailableReason: String?

  let loop: EventLoop
  private let configuration: MultiStoreConfiguration.Store
  private var isolatedConnections = IsolatedConnections()
  /// The dedicated connection for the next session; see ``takeDedicated()``.
  private var spare: HiredisConnection?
  /// The bound on commands' waiting for the store: longer for the default store than for the other one.
  private(set) var service = Service.patient
  private var unavailabilityLog = RepeatedFailureLog()
  private(set) var readyConnections = 0
  private let owner: any StoreOwner

  init(
    on loop: EventLoop,
    role: StoreRole,
    configuration: MultiStoreConfiguration.Store,
    instance: MultiStoreConfiguration,
    family: StoreFamily,
    owner: any StoreOwner
  ) {
    self.loop = loop
    self.role = role
    self.configuration = configuration
    self.family = family
    metrics = family.metrics
    isFirst = family.isEmpty
    self.owner = owner
    number = instance.secondary.endpoint.database
    stale = StaleKeys(limit: instance.staleKeyLimit)
    ordinary = Self.sharedConnection(to: configuration, of: family, isFollower: !isFirst)
    ordinary.delegate = self
    ordinary.asksForModules = isFirst
    if instance.primary != nil {
      ordinary.asksForKeyCount = true
      ordinary.preparation = [
        PresenceGuard.load, ExactGuard.load, KeyDigest.load, KeySummary.load, KeyDumps.load,
      ]
      ordinary.probe = PresenceGuard.probe
    }
    family.add(self)
  }

  /// The longest pause between attempts of connections that rely on the instance's first one to detect that the store
  /// is back.
  private static let followerBackoffCap = Duration.seconds(1)

  /// A connection that sessions share, not connected yet. A follower relies on the instance's first connection to
  /// detect early that the store is back.
  private static func sharedConnection(
    to configuration: MultiStoreConfiguration.Store,
    of family: StoreFamily,
    isFollower: Bool
  ) -> HiredisConnection {
    var limits = configuration.limits
    if isFollower { limits.backoffCap = followerBackoffCap }
    let connection = family.connections.make(to: configuration.endpoint, limits: limits, delegate: nil)
    connection.asksForClientID = true
    connection.keepsAlive = true
    return connection
  }

  /// Whether commands can be sent without waiting for a connection.
  public var isReady: Bool { ordinary.isReady }

  /// Whether the store is in use. It stays true while a connection that was closed while idle is reopened.
  var isUp: Bool { identity != nil && unavailableReason == nil }

  /// Sets how long commands may wait for the store.
  func serve(as service: Service) {
    self.service = service
    ordinary.service = service
    for connection in isolatedConnections.all { connection.service = service }
  }

  deinit {
    // Connections that were not closed end here, and must not notify an object that is being destroyed.
    ordinary.delegate = nil
    for connection in isolatedConnections.all { connection.delegate = nil }
    spare?.delegate = nil
  }

  /// The address of the store's server, or of the sentinels that have not named it yet; without secrets.
  public var address: String {
    family.connections.server.map { "\($0)" } ?? "\(configuration.endpoint.location)"
  }

  /// The database that the store's connections have selected.
  public var database: Int { configuration.endpoint.database }

  /// The database's number as the application knows it: the secondary's.
  let number: Int

  /// The server's version as INFO reports it; nil while it is not known.
  public var serverVersion: String? { identity?.version }

  /// The family of servers that it belongs to; Redis until it is known.
  public var flavour: ServerIdentity.Flavour { identity?.flavour ?? .redis }

  /// The modules that the server had loaded when it was connected, an array as HELLO has it in RESP2; nil while they
  /// are unknown, and in all databases but the first.
  public var modules: [UInt8]? { identity?.modules }

  /// The differences of its answers from those of Redis 7.0; none while the server is unknown.
  public private(set) var dialect: ServerDialect = []

  /// Whether the server has PXAT (since Redis 6.2); true while its version is unknown.
  private(set) var hasAbsoluteExpiry = true
  /// Whether the server has PEXPIRETIME (since Redis 7.0).
  private(set) var hasExpiryTime = false
  /// Whether the other store's dumps are too new for this server, so that keys are copied by their contents.
  var refusesDumps = false
  /// The scripts that were loaded over the ordinary connection since it became ready.
  var loadedScripts: Set<ScriptID> = []

  /// A connection for scripts and unlisted commands, opened on first use.
  public var isolated: HiredisConnection { isolatedConnections.next ?? openIsolated() }

  /// The connection for the next script or unlisted command. For a client whose commands in flight are on `path`, it is
  /// that connection if possible.
  public func isolated(for spec: CommandSpec, following path: HiredisConnection? = nil) -> HiredisConnection {
    if let path, isolatedConnections.contains(path) { return path }
    return spec.effect == .verbatim ? isolatedConnections.nextInOrder ?? openIsolated() : isolated
  }

  private func openIsolated() -> HiredisConnection {
    let connection = Self.sharedConnection(to: configuration, of: family, isFollower: true)
    connection.delegate = self
    connection.service = service
    connection.connect()
    isolatedConnections.append(connection)
    return connection
  }

  /// Whether a script, or an unlisted command, has been running for longer than they usually take. The store may be
  /// busy with it.
  public var isStuck: Bool { isolatedConnections.areStuck }

  /// The open connections that sessions share.
  var sharedConnections: [HiredisConnection] { [ordinary] + isolatedConnections.all }

  func connect() {
    ordinary.connect()
  }

  /// Starts the next attempt of waiting connections immediately, since the store is available.
  private func retryNow() {
    ordinary.retryNow()
    for connection in isolatedConnections.all { connection.retryNow() }
    spare?.retryNow()
  }

  /// Whether to log that the store is unavailable; repeated failures of the same kind are logged rarely.
  func shouldLog(_ reason: ConnectionDownReason) -> Bool {
    unavailabilityLog.shouldLog(reason.kind, wasReady: reason.wasReady, at: loop.now)
  }

  /// Notifies the owner that the database was found empty, and so were all others if `isWhole`.
  func wasFoundEmpty(isWhole: Bool) {
    owner.storeWasFoundEmpty(self, isWhole: isWhole)
  }

  func close() {
    ordinary.close()
    for connection in isolatedConnections.all { connection.close() }
    spare?.close()
  }

  /// A connection for one session alone, without a command deadline, or nil when `dedicatedConnectionLimit` are open.
  public func openDedicated() -> HiredisConnection? {
    guard family.takeDedicated() else { return nil }
    return dedicatedConnection(backoffCap: configuration.limits.backoffCap)
  }

  /// The same for a blocking command: ready immediately if an earlier call has opened one in advance. While a
  /// connection is being opened, later commands of other clients could overtake the command that is to wait for them.
  public func takeDedicated() -> HiredisConnection? {
    guard family.takeDedicated() else { return nil }
    let ready = spare.flatMap { $0.isReady ? $0 : nil }
    if spare == nil || ready != nil {
      spare = dedicatedConnection(backoffCap: Self.followerBackoffCap)
    }
    return ready ?? dedicatedConnection(backoffCap: configuration.limits.backoffCap)
  }

  private func dedicatedConnection(backoffCap: Duration) -> HiredisConnection {
    var limits = configuration.limits
    limits.commandTimeout = nil
    limits.backoffCap = backoffCap
    let connection = family.connections.make(to: configuration.endpoint, limits: limits, delegate: self)
    connection.asksForClientID = true
    connection.connect()
    return connection
  }

  /// Closes a connection that ``openDedicated()`` or ``takeDedicated()`` returned, in whatever state it was left.
  public func closeDedicated(_ connection: HiredisConnection) {
    family.giveBackDedicated()
    // A connection that is closed from this side notifies no delegate.
    if connection.isReady { readyConnections -= 1 }
    connection.close()
    connection.delegate = nil
  }

  /// Whether `connection` is one of this store's that sessions share.
  public func owns(_ connection: HiredisConnection) -> Bool {
    connection === ordinary || isolatedConnections.contains(connection)
  }

  /// Calls `then` once everything that was sent over the shared connections by now is answered, or never will be. That
  /// may be before this call returns.
  func fence(then: @escaping () -> Void) {
    let connections = sharedConnections.filter { $0.inFlightCount > 0 }
    guard !connections.isEmpty else { return then() }
    StoreFence.send(over: connections, then: then)
  }

  /// Leaves the family: the database is not in use any more.
  func leaveFamily() {
    family.remove(self)
  }

  /// Commands sent or queued over the shared connections and not answered yet, except for those that no counter
  /// includes.
  var inFlightCount: Int {
    let uncounted = isFirst ? family.keyspaceSampler?.repliesLeft ?? 0 : 0
    return sharedConnections.reduce(0) { $0 + $1.inFlightCount } - uncounted
  }

  /// The bytes of these commands.
  var queuedBytes: Int { sharedConnections.reduce(0) { $0 + $1.queuedBytes } }

  /// Loads the script that guards writes into the server; see ``PresenceGuard``. Keys are copied as a whole to a store
  /// that refuses scripts, so that a failure needs no handling here.
  func loadPresenceGuard() {
    let command = CommandWriter.command(PresenceGuard.load)
    ordinary.send(command.span, to: DiscardedReplies.shared, token: 0)
  }

  /// Whether no key is stale and none is being copied, which is the usual case.
  var isWhole: Bool { stale.isEmpty && keysBeingCopied.isEmpty }

  // MARK: Keys being copied

  /// Whether a key of `command` is being copied to this store as a whole: until the copy is there, the store has the
  /// old value.
  func isBeingCopied(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !keysBeingCopied.isEmpty else { return false }
    return spec.hasKey(ofCommand: command) { keysBeingCopied[$0.array] != nil }
  }

  /// Whether a key is known to be stale here, or is being copied to this store.
  func isAwaited(_ key: Span<UInt8>) -> Bool {
    stale.isKnown(key) || !keysBeingCopied.isEmpty && keysBeingCopied[key.array] != nil
  }

  /// The copy of a key to this store that began last and has not ended; nil if there is none.
  func copyUnderWay(of key: [UInt8]) -> KeyCopy? { keysBeingCopied[key]?.last }

  func keyCopyBegan(_ copy: KeyCopy) {
    keysBeingCopied[copy.key, default: []].append(copy)
  }

  func keyCopyEnded(_ copy: KeyCopy) {
    keysBeingCopied[copy.key]?.removeAll { $0 === copy }
    if keysBeingCopied[copy.key]?.isEmpty == true { keysBeingCopied[copy.key] = nil }
  }
}

/// The receiver of a store's events. Loop-confined.
protocol StoreOwner: AnyObject {
  /// - Parameter isAnother: whether it is another process than before.
  func store(_ store: Store, didIdentify identity: ServerIdentity, isAnother: Bool)
  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason)
  func store(_ store: Store, wasClosedWhileIdle detail: String)
  /// The store's database was empty when it was asked, and so were all others if `isWhole`.
  func storeWasFoundEmpty(_ store: Store, isWhole: Bool)
}

extension Store: HiredisConnectionDelegate {
  /// A connection has logged in and can be used.
  public func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity) {
    readyConnections += 1
    guard connection === ordinary else { return }
    let before = self.identity?.runID ?? (isFirst ? family.lastRunID : nil)
    self.identity = identity
    hasAbsoluteExpiry = identity.isAtLeast(6, 2) ?? true
    hasExpiryTime = identity.isAtLeast(7, 0) ?? false
    dialect = identity.dialect
    refusesDumps = false
    loadedScripts = []
    unavailableReason = nil
    unavailabilityLog.recovered()
    if isFirst {
      metrics.up.record(1)
      family.forEach { $0.retryNow() }
    }
    let isAnother = before != nil && identity.runID != nil && before != identity.runID
    owner.store(self, didIdentify: identity, isAnother: isAnother)
  }

  /// A connection failed, or was lost, or waits until the server's script has ended, which is no failure of the store.
  public func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    if reason.kind == .busy {
      if connection === ordinary, !isFirst { owner.store(self, didBecomeUnavailable: reason) }
      return
    }
    if reason.wasReady { readyConnections -= 1 }
    metrics.connectionFailed(ConnectionFailureReason(reason))
    guard connection === ordinary else { return }
    unavailableReason = reason.description
    if isFirst { metrics.up.record(0) }
    owner.store(self, didBecomeUnavailable: reason)
  }

  /// A connection on which no command was in flight was closed by the server. It is reopened at once.
  public func connectionWasClosedWhileIdle(_ connection: HiredisConnection, detail: String) {
    readyConnections -= 1
    metrics.connectionFailed(.idle)
    if connection === ordinary { owner.store(self, wasClosedWhileIdle: detail) }
  }

  /// Counts and times commands that were answered.
  public func connection(
    _ connection: HiredisConnection,
    didComplete count: Int,
    errors: Int,
    latencyNanoseconds: UInt64
  ) {
    if errors > 0 { metrics.errorReplies.increment(by: errors) }
    if count > errors { metrics.ok.increment(by: count - errors) }
    // The latency of a command that waits for other clients, on a dedicated connection, does not measure the store.
    guard owns(connection) else { return }
    for _ in 0..<count { metrics.latency.recordNanoseconds(Int64(latencyNanoseconds)) }
  }

  /// Counts a command that was not answered.
  public func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure) {
    switch failure {
    case .notConnected, .busy, .closed: metrics.unavailable.increment()
    case .connectionLost: metrics.lost.increment()
    case .timedOut: metrics.timedOut.increment()
    case .queueFull: metrics.rejected.increment()
    }
  }
}

extension ConnectionFailureReason {
  init(_ reason: ConnectionDownReason) {
    switch reason.kind {
    case .connectFailed: self = .connect
    case .timedOut, .commandTimedOut: self = .timeout
    case .tlsFailed: self = .tls
    case .authenticationRejected: self = .authentication
    case .refused, .busy, .databaseRejected: self = .notReady
    case .lost: self = .lost
    }
  }
}
