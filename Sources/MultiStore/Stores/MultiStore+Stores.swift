internal import CoreMetrics
internal import Hiredis
internal import Logging

/// Hears what happens to the stores' connections. The instance is not retained by it, but retains its stores.
final class StoreEvents: StoreOwner {
  // The instance owns its stores, and they this: it is gone before the instance is.
  unowned var multiStore: MultiStore?

  func store(_ store: Store, didIdentify identity: ServerIdentity, isAnother: Bool) {
    multiStore?.identified(store, as: identity, isAnother: isAnother)
  }

  func store(_ store: Store, didBecomeUnavailable reason: ConnectionDownReason) {
    multiStore?.lost(store, because: reason)
  }

  func store(_ store: Store, wasClosedWhileIdle detail: String) {
    multiStore?.closedWhileIdle(store, detail)
  }
}

extension MultiStore {
  func identified(_ store: Store, as identity: ServerIdentity, isAnother: Bool) {
    logger.info(
      "Store connected",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "database": .stringConvertible(store.database), "server_version": "\(identity.version ?? "unknown")",
      ]
    )
    if let parent { return parent.accepted(database, by: store.role) }
    status.connected(store.role, serverVersion: identity.version)
    if isAnother { restarted(store) }
    store.keyspaceSampler?.begin()
    // It may have been restarted, and a server forgets its scripts with that.
    if store === defaultStore { loadScripts(into: store) }
    guard let primary, let first = primary.identity, let second = secondary.identity else { return }
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

  /// Everything is as before but for what the store has not kept, which may be all. Nobody else would say so: commands
  /// do not fail.
  private func restarted(_ store: Store) {
    store.metrics.restarts.increment()
    status.restarted(store.role, now: loop.wallClockMilliseconds)
    logger.warning(
      "Store restarted, or another server has taken its place: what it did not keep is gone",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "hint": "compare the number of keys on both stores before the next step; the warm-up is counted anew",
      ]
    )
  }

  func lost(_ store: Store, because reason: ConnectionDownReason) {
    if let parent {
      // A number that a client has made up is the client's mistake, and no news about the store.
      if reason.kind != .databaseRejected { logUnavailable(store, because: reason) }
      return parent.failed(database, on: store.role, reason)
    }
    status.lost(store.role, because: reason.description)
    logUnavailable(store, because: reason)
  }

  func closedWhileIdle(_ store: Store, _ detail: String) {
    logger.info(
      "Idle connection closed by the store; it is made again",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "database": .stringConvertible(store.database), "reason": "\(detail)",
      ]
    )
  }

  /// Applies what a store's role means for how long commands may wait for it. The other store is a guest: no client
  /// waits for it for longer than `otherStoreTimeout`.
  func serveStores() {
    let defaultRole = root.routingState.flip.current.defaultStore
    for store in [secondary, primary].compactMap({ $0 }) {
      let isDefault = store.role == defaultRole
      store.serve(as: isDefault ? .patient : .bestEffort(timeout: configuration.otherStoreTimeout))
    }
  }

  private func logUnavailable(_ store: Store, because reason: ConnectionDownReason) {
    guard store.shouldLog(reason) else { return }
    logger.error(
      "Store unavailable",
      metadata: [
        "instance_name": "\(configuration.name)", "store": "\(store.role.label)", "address": "\(store.address)",
        "database": .stringConvertible(store.database), "reason": "\(reason)",
      ]
    )
  }
}
