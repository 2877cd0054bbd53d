internal import CoreMetrics
public import EventLoop
public import Hiredis
internal import RESP

/// One store of one instance: its connections, what is known about it, and which of its keys are stale.
///
/// All that is dual-written goes over the one *ordinary* connection, which is what keeps both stores' order the same.
/// Scripts and unlisted commands go over an *isolated* one, so that a reply that kills a connection takes nobody's
/// ordinary commands with it. Blocking commands and WATCH get *dedicated* ones. Loop-confined.
public final class Store {
  /// Which store it is.
  public let role: StoreRole
  /// The connection for reads and writes.
  public let ordinary: HiredisConnection
  let metrics: StoreMetrics
  var stale: StaleKeys
  /// What the server said about itself when the ordinary connection became ready last.
  private(set) var identity: ServerIdentity?
  /// Why the ordinary connection is not ready; nil while it is, and before the first attempt ended.
  public private(set) var unavailableReason: String?

  private let loop: EventLoop
  private let configuration: MultiStoreConfiguration.Store
  private let dedicatedLimit: Int
  private var isolatedConnection: HiredisConnection?
  private var dedicatedCount = 0
  private var readyConnections = 0
  private let owner: any StoreOwner

  init(
    on loop: EventLoop,
    role: StoreRole,
    configuration: MultiStoreConfiguration.Store,
    instance: MultiStoreConfiguration,
    metrics: StoreMetrics,
    owner: any StoreOwner
  ) {
    self.loop = loop
    self.role = role
    self.configuration = configuration
    self.metrics = metrics
    self.owner = owner
    dedicatedLimit = instance.dedicatedConnectionLimit
    stale = StaleKeys(limit: instance.staleKeyLimit)
    ordinary = HiredisConnection(
      on: loop,
      endpoint: configuration.endpoint,
      limits: configuration.limits,
      delegate: nil
    )
    ordinary.delegate = self
    if instance.primary != nil { ordinary.preparation = [PresenceGuard.load] }
  }

  /// True while commands can be sent without waiting for a connection.
  public var isReady: Bool { ordinary.isReady }

  deinit {
    // Connections that were not closed end here, and must not tell somebody who is gone.
    ordinary.delegate = nil
    isolatedConnection?.delegate = nil
  }

  /// Where the store is, without secrets.
  public var address: SocketAddress { configuration.endpoint.address }

  /// The database that the store's connections have selected.
  public var database: Int { configuration.endpoint.database }

  /// The server's version as it says itself; nil while nothing is known.
  public var serverVersion: String? { identity?.version }

  /// False for a server too old to know PXAT (Redis 6.2 brought it); true while nothing is known.
  private(set) var hasAbsoluteExpiry = true
  /// True for a server that knows PEXPIRETIME (Redis 7.0 brought it).
  private(set) var hasExpiryTime = false

  /// The connection for scripts and unlisted commands, opened when the first of them comes.
  public var isolated: HiredisConnection {
    if let isolatedConnection { return isolatedConnection }
    let connection = HiredisConnection(
      on: loop,
      endpoint: configuration.endpoint,
      limits: configuration.limits,
      delegate: self
    )
    connection.connect()
    isolatedConnection = connection
    return connection
  }

  func connect() {
    ordinary.connect()
  }

  func close() {
    ordinary.close()
    isolatedConnection?.close()
  }

  /// A connection for one session alone, without a command deadline, or nil when `dedicatedConnectionLimit` are open.
  public func openDedicated() -> HiredisConnection? {
    guard dedicatedCount < dedicatedLimit else { return nil }
    dedicatedCount += 1
    var limits = configuration.limits
    limits.commandTimeout = nil
    let connection = HiredisConnection(
      on: loop,
      endpoint: configuration.endpoint,
      limits: limits,
      delegate: self
    )
    connection.connect()
    return connection
  }

  /// Gives back what ``openDedicated()`` opened. The connection is closed, whatever state the session left it in.
  public func closeDedicated(_ connection: HiredisConnection) {
    dedicatedCount -= 1
    // A connection that is closed from this side tells nobody.
    if connection.isReady { readyConnections -= 1 }
    connection.close()
    connection.delegate = nil
  }

  /// True for the connections of this store that sessions share.
  public func owns(_ connection: HiredisConnection) -> Bool {
    connection === ordinary || connection === isolatedConnection
  }

  /// Writes the gauges that change too often to be set at each change.
  func publishGauges() {
    metrics.inFlight.record(ordinary.inFlightCount + (isolatedConnection?.inFlightCount ?? 0))
    metrics.queuedBytes.record(ordinary.queuedBytes + (isolatedConnection?.queuedBytes ?? 0))
    metrics.up.record(ordinary.isReady ? 1 : 0)
    metrics.connections.record(readyConnections)
    metrics.staleKeys.record(stale.count)
    metrics.staleKeysOverflowed.record(stale.hasOverflowed ? 1 : 0)
  }

  /// Gives the server the script that guards writes; see ``PresenceGuard``.
  func loadPresenceGuard() {
    var command = ByteBuffer()
    command.appendArrayHeader(PresenceGuard.load.count)
    for argument in PresenceGuard.load { command.appendBulk(argument) }
    ordinary.send(command.span, to: PresenceGuardLoading.shared, token: 0)
  }

  // MARK: Stale keys

  /// True when a key of `command` is stale here, so that the store's answer can't be trusted.
  func isStale(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !stale.isEmpty else { return false }
    if stale.hasOverflowed { return true }
    var isStale = false
    spec.forEachKey(ofCommand: command) { key in
      if stale.contains(key) { isStale = true }
    }
    return isStale
  }

  /// A write of `command` failed here, or may have.
  func markStale(_ command: Span<UInt8>, _ spec: CommandSpec) {
    if spec.keys == .none, spec.traits.contains(.replacesKeys) { return stale.insertAll() }  // FLUSHDB, FLUSHALL
    spec.forEachKey(ofCommand: command) { stale.insert($0) }
  }

  /// A write of `command` was executed here. Keys that it replaced as a whole are no longer stale.
  func clearStale(_ command: Span<UInt8>, _ spec: CommandSpec) {
    guard !stale.isEmpty, spec.traits.contains(.replacesKeys) else { return }
    if spec.keys == .none { return stale.removeAll() }  // FLUSHDB, FLUSHALL
    spec.forEachKey(ofCommand: command) { stale.remove($0) }
  }
}

extension Store {
  /// Whether `version` is at least `major`.`minor`; nil for one that says nothing.
  private static func isAtLeast(_ major: Int, _ minor: Int, _ version: String?) -> Bool? {
    let parts = (version ?? "").split(separator: ".").prefix(2).compactMap { Int($0) }
    return parts.count < 2 ? nil : (parts[0], parts[1]) >= (major, minor)
  }
}

/// What an instance wants to hear from its stores. Loop-confined.
protocol StoreOwner: AnyObject {
  func store(_ store: Store, didIdentify identity: ServerIdentity)
  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason)
}

extension Store: HiredisConnectionDelegate {
  /// A connection has logged in and can be used.
  public func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity) {
    readyConnections += 1
    guard connection === ordinary else { return }
    self.identity = identity
    hasAbsoluteExpiry = Self.isAtLeast(6, 2, identity.version) ?? true
    hasExpiryTime = Self.isAtLeast(7, 0, identity.version) ?? false
    unavailableReason = nil
    metrics.up.record(1)
    owner.store(self, didIdentify: identity)
  }

  /// A connection failed, or was lost.
  public func connection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {
    if reason.wasReady { readyConnections -= 1 }
    metrics.connectionFailed(ConnectionFailureReason(reason))
    guard connection === ordinary else { return }
    unavailableReason = reason.description
    metrics.up.record(0)
    owner.store(self, didBecomeUnavailable: reason)
  }

  /// A command was answered: it is counted and timed.
  public func connection(_ connection: HiredisConnection, didComplete isError: Bool, latencyNanoseconds: UInt64) {
    if isError { metrics.errorReplies.increment() } else { metrics.ok.increment() }
    metrics.latency.recordNanoseconds(Int64(latencyNanoseconds))
  }

  /// A command was not answered: it is counted.
  public func connection(_ connection: HiredisConnection, didFail failure: ConnectionFailure) {
    switch failure {
    case .notConnected, .closed: metrics.unavailable.increment()
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
    case .authenticationRejected: self = .authentication
    case .refused: self = .notReady
    case .lost: self = .lost
    }
  }
}
