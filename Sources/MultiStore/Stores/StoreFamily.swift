internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import Logging
internal import RESP
internal import Stores

/// One store of an instance: a ``Store`` for each database in use, and what they share. Loop-confined, as they are.
final class StoreFamily {
  private struct Member {
    /// A store removes itself before it is released.
    unowned let store: Store
  }

  let role: StoreRole
  /// Makes the connections of all databases.
  let connections: StoreConnections
  let metrics: StoreMetrics
  /// Whether keys may be outdated on the store that are not known. Changed by ``distrust(because:now:)`` and
  /// ``becomeTrusted()``.
  var trust = StoreTrust.trusted
  /// The run ID of the server when it was connected last, by this process or the one before; nil if it is not known.
  var lastRunID: String?
  /// Records outdated keys beyond the process; nil if they are lost with it.
  var recorder: (any StalenessRecorder)?
  /// Called when ``trust`` has changed.
  var trustDidChange: (StoreFamily) -> Void = { _ in }
  /// Called at another reason not to trust a store that is not trusted.
  var trustWasLostAgain: () -> Void = {}
  private let dedicatedLimit: Int
  private var dedicatedCount = 0
  private var members: [Member] = []
  /// Counts the keys of the first database, if that is configured.
  private(set) var keyspaceSampler: KeyspaceSampler?

  init(_ role: StoreRole, connections: StoreConnections, metrics: StoreMetrics, dedicatedLimit: Int) {
    self.role = role
    self.connections = connections
    self.metrics = metrics
    self.dedicatedLimit = dedicatedLimit
  }

  /// Whether there is no store yet: the first one is that of the instance's first database.
  var isEmpty: Bool { members.isEmpty }

  /// Whether only the first database is in use.
  var hasOneDatabase: Bool { members.count == 1 }

  /// The store in the instance's first database, which exists as long as the instance.
  var first: Store { members[0].store }

  /// Whether any of the stores has a command in flight, except for those that no counter includes.
  var isBusy: Bool { members.contains { $0.store.inFlightCount > 0 } }

  func add(_ store: Store) {
    store.stale.isDistrusted = !trust.isTrusted
    members.append(Member(store: store))
  }

  func remove(_ store: Store) {
    members.removeAll { $0.store === store }
  }

  func forEach(_ body: (Store) -> Void) {
    for member in members { body(member.store) }
  }

  /// Begins to count the store's keys.
  ///
  /// - Parameter countsOtherDatabases: whether clients may select those.
  func sampleKeyspace(on loop: EventLoop, status: InstanceStatus, countsOtherDatabases: Bool, logger: Logger) {
    keyspaceSampler = KeyspaceSampler(
      of: first,
      on: loop,
      status: status,
      countsOtherDatabases: countsOtherDatabases,
      logger: logger
    )
  }

  func close() {
    keyspaceSampler?.close()
    keyspaceSampler = nil
    connections.close()
  }

  /// Calls `then` once everything that was sent to any database by now is answered, or never will be, but for blocking
  /// commands. That may be before this call returns.
  func fence(then: @escaping () -> Void) {
    var connections = members.flatMap(\.store.sharedConnections)
    connections.removeAll { !$0.isReady && $0.inFlightCount == 0 }
    connections += members.flatMap(\.store.busyDedicatedConnections)
    guard !connections.isEmpty else { return then() }
    StoreFence.send(over: connections, then: then)
  }

  /// Counts one more dedicated connection; false at the limit.
  func takeDedicated() -> Bool {
    guard dedicatedCount < dedicatedLimit else { return false }
    dedicatedCount += 1
    return true
  }

  func giveBackDedicated() {
    dedicatedCount -= 1
  }

  /// Bytes of commands that wait to be sent, of all databases together.
  var queuedBytes: Int { members.reduce(0) { $0 + $1.store.queuedBytes } }

  /// The number of stale keys that was published last.
  var publishedStaleKeys = 0
  /// The time at which the oldest stale key became stale, in milliseconds since 1970, as of the last search.
  private(set) var oldestStaleMilliseconds: Int64?

  func findOldestStaleKey() {
    oldestStaleMilliseconds = members.compactMap(\.store.stale.oldestMilliseconds).min()
  }

  /// Keys that are known to be stale, of all databases together.
  var staleKeyCount: Int { members.reduce(0) { $0 + $1.store.stale.count } }

  /// Writes the gauges that change too often to be set at each change: those of all databases together.
  func publishGauges() {
    let stores = members.map(\.store)
    func sum(_ value: (Store) -> Int) -> Int { stores.reduce(0) { $0 + value($1) } }
    metrics.inFlight.record(sum(\.inFlightCount))
    metrics.queuedBytes.record(queuedBytes)
    metrics.up.record(stores.first?.isUp == true ? 1 : 0)
    metrics.connections.record(sum(\.readyConnections))
    metrics.dedicatedConnections.record(dedicatedCount)
    metrics.dedicatedConnectionsLimit.record(dedicatedLimit)
    metrics.staleKeys.record(staleKeyCount)
    metrics.isTrusted.record(trust.isTrusted ? 1 : 0)
    if let (known, reachable) = connections.sentinels {
      metrics.sentinels?.reachable.record(reachable)
      metrics.sentinels?.unreachable.record(known - reachable)
    }
  }
}
