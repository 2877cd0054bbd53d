internal import CoreMetrics
internal import Logging
internal import RESP

/// An instance's knowledge of outdated keys, kept from one process to the next.
public struct StalenessMemory: Sendable {
  /// The knowledge of the last process.
  public var snapshot: StalenessSnapshot
  /// Records changes from now on.
  public var recorder: any StalenessRecorder

  /// A memory made of its parts.
  public init(snapshot: StalenessSnapshot, recorder: any StalenessRecorder) {
    self.snapshot = snapshot
    self.recorder = recorder
  }
}

/// Outdated keys, and trust in the stores.
extension Instance {
  /// The store whose reply the client gets.
  var defaultRole: StoreRole { routingState.flip.current.defaultStore }

  /// Whether new commands wait for a flip.
  var isHeld: Bool { !routingState.flip.isSettled }

  /// Whether a key of any database is known to be stale on a store.
  var hasStaleKeys: Bool { families.contains { $0.staleKeyCount > 0 } }

  /// The stale keys of one store in all databases, the oldest first, and by name those of the same millisecond.
  ///
  /// - Parameter limit: the most keys that are listed.
  public func staleKeys(of role: StoreRole, limit: Int) -> [StaleKey] {
    loop.preconditionOnLoop()
    let keys = databases.all.flatMap { $0.store(role).stale.list(database: $0.number, limit: limit) }
    return Array(keys.sorted(by: StaleKey.isOlder).prefix(limit))
  }

  /// The number of stale keys of one store, in all databases.
  public func staleKeyCount(of role: StoreRole) -> Int {
    loop.preconditionOnLoop()
    return family(role).staleKeyCount
  }

  /// Trusts a store again, because the operator states that its keys are those of the default store, except for the
  /// stale ones. Then the default store is as good: it counts as soon as the default moves away from it.
  ///
  /// - Parameters:
  ///   - who: the operator's name, for the log.
  ///   - why: the operator's reason, for the log.
  /// - Returns: whether the store was not trusted before.
  @discardableResult
  public func trust(_ role: StoreRole, who: String, why: String) -> Bool {
    loop.preconditionOnLoop()
    guard !family(role).trust.isTrusted else { return false }
    for family in families where family.role == role || family.role == defaultRole {
      guard let loss = family.trust.loss else { continue }
      logger.warning(
        "Store trusted again, as the operator says",
        metadata: [
          "instance_name": "\(configuration.name)", "store": "\(family.role.label)", "who": "\(who)", "why": "\(why)",
          "not_trusted_because": "\(loss.rawValue)",
        ]
      )
      family.becomeTrusted()
    }
    return true
  }

  /// Accepts the default store's values of all keys that are stale there, because the operator states that the other
  /// store will not come back with better ones. Commands that name such a key no longer wait for its copy. The keys are
  /// stale on the other store from now on. Takes a microsecond for each key.
  ///
  /// - Parameters:
  ///   - who: the operator's name, for the log.
  ///   - why: the operator's reason, for the log.
  /// - Returns: the default store, and the number of keys.
  public func acceptStaleKeys(who: String, why: String) -> (defaultStore: StoreRole, count: Int) {
    loop.preconditionOnLoop()
    let role = defaultRole
    let count = family(role).staleKeyCount
    guard count > 0 else { return (role, 0) }
    for database in databases.all { acceptStaleKeys(of: database, on: role) }
    logger.warning(
      "Outdated values of the default store accepted, as the operator says",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(role.label)", "stale_keys": .stringConvertible(count),
        "who": "\(who)", "why": "\(why)",
      ]
    )
    return (role, count)
  }

  private func acceptStaleKeys(of database: Database, on role: StoreRole) {
    let (store, other) = (database.store(role), database.store(role.other))
    let keys = store.stale.list(database: database.number)
    store.clearAllStale()
    for key in keys { other.markStale(key: key.key, because: .accepted) }
  }

  /// Accepts the default store's values of the keys that are stale there: the other store, which had better ones, came
  /// back as another process and has no key in its database.
  func acceptValuesOfLostKeys(of store: Store) {
    guard let database = databases.all.first(where: { $0.store(store.role) === store }) else { return }
    let count = database.store(store.role.other).stale.count
    guard count > 0 else { return }
    acceptStaleKeys(of: database, on: store.role.other)
    logger.error(
      "Outdated values of the default store are all that is left: the other store came back empty",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.other.label)",
        "database": .stringConvertible(database.number), "stale_keys": .stringConvertible(count),
      ]
    )
  }

  /// Restores the knowledge of the last process. Called once, before the connections are opened.
  func restore(_ memory: StalenessMemory) {
    let snapshot = memory.snapshot
    var overflowed: Set<StoreRole> = []
    for family in families {
      family.lastRunID = snapshot.runIDs[family.role]
      family.restoreTrust(snapshot.trust[family.role] ?? .trusted)
      status.set(family.trust, of: family.role)
      for key in snapshot.staleKeys[family.role] ?? [] {
        guard let store = reach(key.database)?.store(family.role) else { continue }
        let marking = store.stale.insert(key.key, at: loop.now, sinceMilliseconds: key.sinceMilliseconds, key.reason)
        // The limit may have been lowered.
        if marking == .full { overflowed.insert(family.role) }
      }
    }
    wasDual = snapshot.isWatchful
    for family in families { family.recorder = memory.recorder }
    clearLaterMarks(on: defaultRole)
    restoreVerified(snapshot.verifiedMilliseconds)
    jobs.restore(snapshot.jobs)
    for family in families where snapshot.isOfOtherAddresses && family.trust.loss == .otherStores {
      family.metrics.trustLost(.otherStores)
    }
    let now = loop.wallClockMilliseconds
    for role in overflowed { family(role).distrust(because: .overflow, now: now) }
    if snapshot.isDamaged {
      for family in families { family.distrust(because: .stateDamaged, now: now) }
    } else if snapshot.isWatchful, !snapshot.wasStopped, let defaultStore = snapshot.defaultStore {
      family(defaultStore.other).distrust(because: .uncleanStop, now: now)
    }
  }

  /// Records the active routing for the next process, and updates whether writes to one store alone mark keys as stale.
  func noteRouting() {
    let routing = routingState.flip.current
    if routing.isDual { wasDual = true }
    noteTrust()
    record(routing)
  }

  /// Records a move when it begins, unless it has to be forced: flags in a file apply after a kill, and the next
  /// process would take the move for one that it makes itself, to a store that is not trusted since the kill.
  func recordMove(to next: Routing) {
    guard next.defaultStore != defaultRole else { return }
    let family = family(next.defaultStore)
    guard family.trust.isTrusted, routingState.staleKeysBeforeMove <= configuration.maxKeysAtFlip else { return }
    record(next)
  }

  private func record(_ routing: Routing) {
    let change = StalenessChange.routing(defaultStore: routing.defaultStore, isWatchful: wasDual || routing.isDual)
    guard change != recordedRouting else { return }
    recordedRouting = change
    recorder?.append(change)
  }

  /// Publishes a change of the trust in a store; a loss is counted and logged.
  func trustDidChange(of family: StoreFamily) {
    let trust = family.trust
    status.set(trust, of: family.role)
    noteTrust()
    guard case .lost(let loss, _) = trust else { return }
    mayDiffer()
    family.metrics.trustLost(loss)
    guard routingState.flip.current.isDual else {
      return logger.notice(
        "Store not trusted any more, which matters once dual write is on again",
        metadata: [
          "instance_name": "\(configuration.name)", "store": "\(family.role.label)", "reason": "\(loss.rawValue)",
          "detail": "\(loss.explanation)",
        ]
      )
    }
    logger.error(
      "Store not trusted any more: reads go to the default store, and keys are copied whole",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(family.role.label)", "reason": "\(loss.rawValue)",
        "detail": "\(loss.explanation)",
        "hint": "empty the store, or compare it with the default store and run multistore-exporter trust",
      ]
    )
  }

  private func clearLaterMarks(on role: StoreRole) {
    for database in databases.all { database.store(role).clearLaterMarks() }
  }

  /// Updates the trust in both stores after a move of the default store. The new default store's values are
  /// authoritative, whatever was known about them before; the keys that are stale there are known.
  func noteMove(to role: StoreRole) {
    let (new, old) = (family(role), family(role.other))
    clearLaterMarks(on: role)
    let (before, left) = (routingState.staleKeysBeforeMove, new.staleKeyCount)
    if case .lost(let loss, _) = new.trust {
      logger.error(
        "The default store moved to a store that was not trusted: clients may read outdated values",
        metadata: [
          "instance_name": "\(configuration.name)", "store": "\(role.label)", "not_trusted_because": "\(loss.rawValue)",
        ]
      )
      new.becomeTrusted()
      old.distrust(because: .forcedMove, now: loop.wallClockMilliseconds)
      metrics.forcedMoves.increment()
    } else if before > configuration.maxKeysAtFlip {
      logger.error(
        "The default store moved though more keys than max_keys_at_flip were stale on the new one",
        metadata: [
          "instance_name": "\(configuration.name)", "store": "\(role.label)",
          "stale_keys_before": .stringConvertible(before), "stale_keys": .stringConvertible(left),
        ]
      )
      metrics.forcedMoves.increment()
    }
    guard left > 0 else { return }
    logger.warning(
      "The default store moved while keys were stale on the new one: commands that name one wait until it is copied",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(role.label)", "stale_keys": .stringConvertible(left),
      ]
    )
  }

  /// Trusts a store that was found empty, since nothing in it is outdated. Its stale keys stay known, and are copied.
  func storeWasFoundEmpty(_ store: Store, isWhole: Bool) {
    if store.role != defaultRole { lookForEmptiedStore() }
    guard isWhole || !configuration.servesOtherDatabases, !store.family.trust.isTrusted,
      store.family.first.server.identity?.isReplica != true
    else { return }
    logger.notice(
      "Store trusted again: it is empty",
      metadata: ["instance_name": "\(configuration.name)", "store": "\(store.role.label)"]
    )
    store.family.becomeTrusted()
  }

  /// Publishes the figures of stale keys, and continues their repair. Called periodically.
  func publishStaleKeys() {
    ticks &+= 1
    for family in families {
      let count = family.staleKeyCount
      guard count > 0 || family.publishedStaleKeys > 0 else { continue }
      family.publishedStaleKeys = count
      // Finding the oldest key takes a millisecond if there are very many.
      if count == 0 || ticks % Self.ticksPerOldest == 0 { family.findOldestStaleKey() }
      let oldest = family.oldestStaleMilliseconds
      status.set(staleKeys: count, oldestMilliseconds: oldest, of: family.role)
      family.metrics.oldestStaleKey.record(oldest.map { Double(max(0, loop.wallClockMilliseconds - $0)) / 1e3 } ?? 0)
    }
    keyQueue.wake()
    guard configuration.settledChecksPerSecond > 0 else { return }
    for database in databases.all { database.settledChecks?.proceed() }
  }

  private func noteTrust() {
    let routing = routingState.flip.current
    marksWrites = hasPrimary && wasDual && !routing.isDual && family(routing.defaultStore.other).trust.isTrusted
  }
}

extension Database {
  /// Whether a write to one store alone leaves a stale key on the other.
  public var marksWrites: Bool { instance.marksWrites }

  /// Marks the keys that a command may change as stale on the other store, if the default store alone executes it
  /// because dual write is off after it was on.
  public func willWriteAlone(_ command: Span<UInt8>, _ spec: CommandSpec) {
    guard instance.marksWrites, spec.effect != .none || spec.staysUncopied,
      spec.commandClass(ofCommand: command) != .read
    else { return }
    let role = defaultStore.role.other
    store(role).markStale(command, spec, because: .dualWriteOff)
    guard let number = spec.otherDatabase(ofCommand: command), let database = instance.reach(number) else { return }
    spec.forEachKey(ofCommand: command) { database.store(role).markStale(key: $0.array, because: .dualWriteOff) }
  }
}
