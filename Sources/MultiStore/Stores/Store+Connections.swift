internal import CoreMetrics
public import Hiredis
internal import RESP

/// The receiver of a store's events. Loop-confined.
protocol StoreOwner: AnyObject {
  /// - Parameter isAnother: whether it is another process than before.
  func store(_ store: Store, didIdentify identity: ServerIdentity, isAnother: Bool)
  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason)
  func store(_ store: Store, wasClosedWhileIdle detail: String)
  /// The store has refused a login that has changed, and the connection keeps the one that it had.
  func store(_ store: Store, keepsFormerLogin detail: String)
  /// The store did not get a command without keys that the other one has executed, or may not have got it.
  func store(_ store: Store, didMiss command: CommandSpec)
  /// The store's database was empty when it was asked, and so were all others if `isWhole`.
  func storeWasFoundEmpty(_ store: Store, isWhole: Bool)
}

extension Store: HiredisConnectionDelegate {
  /// A connection has logged in and can be used.
  public func connectionDidBecomeReady(_ connection: HiredisConnection, identity: ServerIdentity) {
    readyConnections += 1
    guard connection === ordinary else { return }
    let before = server.identity?.process ?? (isFirst ? family.lastRunID : nil)
    server = KnownServer(identity)
    unavailableReason = nil
    refusesDatabase = false
    unavailabilityLog.recovered()
    if isFirst {
      metrics.up.record(1)
      family.forEach { $0.retryNow() }
    }
    // A server that does not tell any more who it is may be another one.
    let isAnother = before != nil && before != ServerIdentity.unknownProcess && before != identity.process
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
    refusesDatabase = reason.kind == .databaseRejected
    if isFirst { metrics.up.record(0) }
    owner.store(self, didBecomeUnavailable: reason)
  }

  /// A connection on which no command was in flight was closed by the server. It is reopened at once.
  public func connectionWasClosedWhileIdle(_ connection: HiredisConnection, detail: String) {
    readyConnections -= 1
    metrics.connectionFailed(.idle)
    if connection === ordinary { owner.store(self, wasClosedWhileIdle: detail) }
  }

  /// The store has refused a login that has changed.
  public func connection(_ connection: HiredisConnection, keepsFormerLogin detail: String) {
    if connection === ordinary, isFirst { owner.store(self, keepsFormerLogin: detail) }
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
