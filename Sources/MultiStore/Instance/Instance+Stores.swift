internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import Logging
internal import RESP

/// Events of the stores' connections.
extension Instance: StoreOwner {
  func store(_ store: Store, didIdentify identity: ServerIdentity, isAnother: Bool) {
    // Ahead of copies, which a client that is blocked there would be served.
    blockedCommands.storeIsBack(store)
    logger.info(
      "Store connected",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "database": .stringConvertible(store.database), "server_version": "\(identity.version ?? "unknown")",
      ]
    )
    lookForOlderKeys(in: store, identity, isAnother: isAnother)
    store.stale.retryAll()
    keyQueue.wake()
    guard store.isFirst else { return databases.accepted(store.database, by: store.role) }
    status.connected(store.role, at: store.address, serverVersion: identity.version)
    if isAnother {
      restarted(store)
      // It may lack the functions, which only a load copies otherwise.
      if routingState.flip.current.isDual, store.role != defaultRole { functionCopies.require(.replace) }
    }
    copyFunctions(isHurried: true)
    store.family.wasIdentified(identity.process)
    store.family.keyspaceSampler?.begin()
    // The server may have been restarted, which loses its scripts.
    if store.role == routingState.flip.current.defaultStore {
      scripts.load(into: store)
    } else {
      scriptLoad = nil
      if case .gathering(let next) = routingState.flip.state, next.defaultStore == store.role {
        beginScriptLoad(into: store.role)
      }
    }
    guard let primary, let first = primary.first.server.identity, let second = secondary.first.server.identity else {
      return
    }
    if first.runID == nil || second.runID == nil {
      logger.warning(
        "Can't tell whether both stores are the same server: allow the command INFO to the store's user",
        metadata: ["instance_name": "\(configuration.name)"]
      )
    }
    let areSame = first.runID != nil && first.runID == second.runID && first.database == second.database
    guard areSame != storesAreSame else { return }
    storesAreSame = areSame
    status.set(areSame: areSame)
    flagsChanged()
    metrics.sameStore.record(areSame ? 1 : 0)
    if areSame {
      logger.error(
        "Primary and secondary are the same server and database: both feature flags count as off",
        metadata: ["instance_name": "\(configuration.name)", "run_id": "\(first.runID ?? "")"]
      )
    } else {
      logger.notice(
        "Primary and secondary are different again: the feature flags are in force",
        metadata: ["instance_name": "\(configuration.name)"]
      )
    }
  }

  /// Updates the trust in a store that has connected: another process may have loaded an older snapshot of the keys,
  /// and an empty store has no outdated ones.
  private func lookForOlderKeys(in store: Store, _ identity: ServerIdentity, isAnother: Bool) {
    // A replica is empty until it has got its master's keys, which may be any.
    let isEmpty = identity.keyCount == 0 && identity.isReplica != true
    // Other databases may have keys that nobody has asked for yet; they end the trust until all are known to be empty.
    if isAnother, store.role != defaultRole, wasDual, !isEmpty || configuration.servesOtherDatabases {
      store.family.distrust(because: .anotherProcess, now: loop.wallClockMilliseconds)
    }
    guard isEmpty else { return }
    if isAnother, store.role != defaultRole { acceptValuesOfLostKeys(of: store) }
    storeWasFoundEmpty(store, isWhole: false)
  }

  /// Reports a restart of a store, which may have lost some or all of its keys. There is no other sign of that, since
  /// commands do not fail.
  private func restarted(_ store: Store) {
    mayDiffer()
    jobs.storeMayHaveLostKeys()
    store.metrics.restarts.increment()
    status.restarted(store.role, now: loop.wallClockMilliseconds)
    logger.warning(
      "Store restarted, or another server has taken its place: what it did not keep is gone",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "hint": "compare the number of keys on both stores before the next step; the warm-up is restarted",
      ]
    )
  }

  func store(_ store: Store, didMiss command: CommandSpec) {
    if command.changesFunctions {
      // A copy to the default store may fail after that has moved: the other one's functions are right then.
      if store.role == defaultRole { reportMissedFunctions() } else { functionCopies.require(command.functionPolicy) }
    } else if command.id == .publish || command.id == .spublish, store.role != defaultRole {
      subscriptions.messageWasMissed(by: store.role, of: self)
    }
  }

  /// Reports a failover. Its connections follow, and report themselves.
  func serverDidMove(of family: StoreFamily, from former: SocketAddress, to address: SocketAddress) {
    family.metrics.failovers.increment()
    status.located(family.role, at: "\(address)")
    logger.warning(
      "Failover: the sentinels have named another master",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(family.role.label)", "address": "\(address)",
        "former_address": "\(former)",
      ]
    )
  }

  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason) {
    guard store.isFirst else {
      // An invalid number is the client's mistake, and a busy store has not failed.
      if reason.kind != .databaseRejected, reason.kind != .busy { logUnavailable(store, because: reason) }
      return databases.failed(store.database, on: store.role, reason, isDefault: store.role == defaultRole)
    }
    status.lost(store.role, because: reason.description)
    logUnavailable(store, because: reason)
  }

  func store(_ store: Store, wasClosedWhileIdle detail: String) {
    logger.info(
      "Idle connection closed by the store; it is made again",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "database": .stringConvertible(store.database), "reason": "\(detail)",
      ]
    )
  }

  func store(_ store: Store, keepsFormerLogin detail: String) {
    logger.warning(
      "Store refuses the login that the changed file has; connections that are logged in stay",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "reason": "\(detail)", "hint": "new connections fail until the store has the login of the file",
      ]
    )
  }

  private func logUnavailable(_ store: Store, because reason: ConnectionDownReason) {
    guard store.shouldLog(reason) else { return }
    var metadata: Logger.Metadata = [
      "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
      "database": .stringConvertible(store.database), "reason": "\(reason)",
    ]
    if store.role == .secondary, routingState.flip.current.movesMissingKeys {
      metadata["hint"] = "keys that it alone has count as absent meanwhile: a write to one replaces its value for good"
    }
    logger.error("Store unavailable", metadata: metadata)
  }
}
