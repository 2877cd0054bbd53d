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
  /// The other store of the same database, which lives as long as this one; nil in a pass-through instance.
  unowned var counterpart: Store?
  var keysBeingCopied = KeysBeingCopied()
  /// The server when the ordinary connection became ready last.
  public internal(set) var server = KnownServer()
  /// The reason why the ordinary connection is not ready; nil while it is, and before the first attempt ended.
  public internal(set) var unavailableReason: String?
  /// Whether the last attempt to connect has failed since the server has no such database.
  var refusesDatabase = false

  let loop: EventLoop
  private let configuration: MultiStoreConfiguration.Store
  private var isolatedConnections = IsolatedConnections()
  /// The sessions' own connections over which commands that do not block are in flight.
  private var busyDedicated: [ObjectIdentifier: HiredisConnection] = [:]
  /// The dedicated connection for the next session; see ``takeDedicated()``.
  private var spare: HiredisConnection?
  /// The bound on commands' waiting for the store: longer for the default store than for the other one.
  private(set) var service = Service.patient
  var unavailabilityLog = RepeatedFailureLog()
  var readyConnections = 0
  let owner: any StoreOwner

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
    ordinary.handshake.asksForModules = isFirst
    if instance.primary != nil {
      ordinary.handshake.asksForKeyCount = true
      ordinary.handshake.preparation = [
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
    connection.handshake.asksForClientID = true
    connection.keepsAlive = true
    return connection
  }

  /// Whether commands can be sent without waiting for a connection.
  public var isReady: Bool { ordinary.isReady }

  /// Whether the store is in use. It stays true while a connection that was closed while idle is reopened.
  var isUp: Bool { server.identity != nil && unavailableReason == nil }

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
  func retryNow() {
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

  /// A connection for one session alone, or nil when `dedicatedConnectionLimit` are open.
  ///
  /// - Parameter hasDeadline: whether the command timeout applies to its commands. They may not wait for other clients
  ///   then.
  public func openDedicated(hasDeadline: Bool = false) -> HiredisConnection? {
    guard family.takeDedicated() else { return nil }
    return dedicatedConnection(backoffCap: configuration.limits.backoffCap, hasDeadline: hasDeadline)
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

  private func dedicatedConnection(backoffCap: Duration, hasDeadline: Bool = false) -> HiredisConnection {
    var limits = configuration.limits
    if !hasDeadline { limits.commandTimeout = nil }
    limits.backoffCap = backoffCap
    let connection = family.connections.make(to: configuration.endpoint, limits: limits, delegate: self)
    connection.handshake.asksForClientID = true
    connection.connect()
    return connection
  }

  /// Closes a connection that ``openDedicated(hasDeadline:)`` or ``takeDedicated()`` returned, in whatever state it was
  /// left.
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

  /// Notes that commands that do not block are sent over `connection`, if that is a session's own, until
  /// ``allWasAnswered(over:)``.
  func executionBegan(over connection: HiredisConnection) {
    if !owns(connection) { busyDedicated[ObjectIdentifier(connection)] = connection }
  }

  /// Notes that the last of these commands has been answered, before the session sends another one.
  func allWasAnswered(over connection: HiredisConnection) {
    busyDedicated[ObjectIdentifier(connection)] = nil
  }

  /// The sessions' own connections that have not answered everything yet, except for those on which a command blocks.
  var busyDedicatedConnections: [HiredisConnection] { Array(busyDedicated.values) }

  /// Calls `then` once everything that was sent by now is answered, or never will be, but for blocking commands. That
  /// may be before this call returns.
  ///
  /// - Parameter hasBlocked: whether the store may have served blocking commands, whose replies are on their way. They
  ///   were written before the answer to any later question, which is waited for then.
  func fence(hasBlocked: Bool, then: @escaping () -> Void) {
    let shared = sharedConnections.filter { $0.inFlightCount > 0 || hasBlocked && $0 === ordinary }
    let connections = shared + busyDedicatedConnections
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

  /// Whether a key is known to be stale here, or is being copied to this store.
  func isAwaited(_ key: Span<UInt8>) -> Bool {
    stale.isKnown(key) || keysBeingCopied.contains(key)
  }
}
