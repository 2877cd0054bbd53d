internal import EventLoop
internal import Logging

/// Which routing is in force, and a change of it that has to wait.
///
/// A dual write that began under the old flags may not have reached both stores yet. A write that began under the new
/// ones could overtake it on one of them, and the two stores would end with different values. So a change waits until
/// the dual executions under way are done, and whoever wants to begin something waits with it. When the default store
/// moves, clients that listen or block are taken along meanwhile, and those that watch keys go on until EXEC.
struct RoutingState {
  /// How far a change has come.
  enum Phase {
    /// `current` is in force, and nothing is pending.
    case settled
    /// Dual executions and watches end, listening clients listen to the new default store as well, and what blocks is
    /// called off.
    case gathering
    /// The old default store answers what it was sent before.
    case fencing
    /// Listening clients leave the old default store.
    case switching
  }

  /// How long a change waits at most: a store that hangs must not keep the operator from leaving it.
  static let holdLimit = Duration.seconds(1)

  var current: Routing
  /// The clients that watch keys on the default store.
  var watches = OpenWatches()
  /// What the flags say now, if that is not in force yet.
  var pending: Routing?
  var phase = Phase.settled
  /// Tells one change from the next.
  var changeCount = 0
  /// The flags have changed again while clients were between the stores.
  var isOutdated = false
  /// Executions that write to both stores and have not ended.
  var dualExecutions = 0
  /// Those who asked while a change was waiting.
  var waiting: [ReplySink] = []
  var holdTimer: LoopTimer?
  /// The flags that `current` or `pending` was made from.
  var flags = FlagState()

  /// Whether a change waits that moves the default store.
  var isMove: Bool { pending.map { $0.defaultStore != current.defaultStore } ?? false }

  /// Whether clients that watch keys go on with `current` while all others wait.
  var letsWatchesEnd: Bool { phase == .gathering && isMove }

  /// Whether `watch` is one of those.
  func letsEnd(_ watch: KeyWatch?) -> Bool { watch.map { letsWatchesEnd && watches.isOpen($0) } ?? false }
}

extension MultiStore {
  /// What the flags mean for the next command, pipeline or transaction.
  ///
  /// - Parameter watch: what the client watches. While the default store is to move, it goes on until that has ended.
  /// - Returns: nil while a change of the flags waits for executions under way; `sink` then hears
  ///   ``ReplySink/routingDidSettle()``, within `RoutingState.holdLimit`.
  public func routing(orNotify sink: ReplySink, watching watch: KeyWatch? = nil) -> Routing? {
    if let parent { return parent.routing(orNotify: sink, watching: watch) }
    if flags.state != routingState.flags { flagsChanged() }
    guard routingState.pending != nil, !routingState.letsEnd(watch) else { return routingState.current }
    routingState.waiting.append(sink)
    return nil
  }

  /// The store whose reply is the client's, as far as commands under way are concerned.
  public var defaultStore: Store { store(root.routingState.current.defaultStore) }

  /// The flags say something new, or it was found out whether both stores are the same.
  func flagsChanged() {
    // Clients that are between the stores arrive first.
    guard routingState.phase != .fencing, routingState.phase != .switching else {
      routingState.isOutdated = true
      return
    }
    routingState.flags = flags.state
    let routing = Routing(
      flags: routingState.flags,
      canUsePrimary: hasPrimary && !storesAreSame,
      readPolicy: configuration.readPolicy
    )
    guard routing != routingState.current else {
      routingState.pending = nil
      prepareSubscriptions(for: routing.defaultStore)
      return settleRouting()
    }
    hold(for: routing, limit: RoutingState.holdLimit)
  }

  /// Lets nobody begin anything until what is under way is done and `routing` is in force.
  func hold(for routing: Routing, limit: Duration) {
    // A second change does not extend the time for which commands wait already.
    let wasHolding = routingState.pending.map { $0 != routingState.current } ?? false
    routingState.pending = routing
    routingState.phase = .gathering
    prepareSubscriptions(for: routing.defaultStore)
    unblockCommands(on: routing.defaultStore.other)
    advanceRouting()
    guard routingState.pending != nil else { return }
    if routingState.holdTimer == nil {
      routingState.holdTimer = LoopTimer(on: loop) { [unowned self] in holdLimitPassed() }
    }
    if !wasHolding { routingState.holdTimer?.schedule(after: limit) }
    // A client that watches keys may wait for an earlier change, and this one waits for it.
    if routingState.letsWatchesEnd, routingState.watches.count > 0 { notifyWaiting() }
  }

  private func notifyWaiting() {
    let waiting = routingState.waiting
    routingState.waiting = []
    for sink in waiting { sink.routingDidSettle() }
  }

  /// - Returns: the loop's clock.
  @discardableResult
  func dualExecutionBegan() -> UInt64 {
    if let parent { return parent.dualExecutionBegan() }
    routingState.dualExecutions += 1
    return loop.now
  }

  func dualExecutionEnded() {
    if let parent { return parent.dualExecutionEnded() }
    routingState.dualExecutions -= 1
    if routingState.dualExecutions == 0, routingState.pending != nil { advanceRouting() }
  }

  /// Takes the next step of a change that waits, if what it waits for has happened.
  func advanceRouting() {
    switch routingState.phase {
    case .settled, .fencing: return
    case .gathering:
      // When the default store does not move, nobody waits for those who are late.
      let awaitsClients =
        routingState.isMove && (awaitsSubscriptions || awaitsBlockedCommands || routingState.watches.count > 0)
      guard routingState.dualExecutions == 0, !awaitsClients else { return }
      // What was sent to the default store alone is not copied: it must not come after what goes to both.
      let beginsDual = !routingState.current.isDual && routingState.pending?.isDual == true
      guard hasPreparedSubscriptions || beginsDual else { return settleRouting() }
      routingState.phase = .fencing
      let change = routingState.changeCount
      // Not weakly: whatever was ever referred to in that way is slower to retain for good. The store answers, or its
      // connection is given up, and then the reference is gone.
      store(routingState.current.defaultStore).fence { self.fencePassed(change) }
    case .switching:
      if !hasSwitchingSubscriptions { settleRouting() }
    }
  }

  private func fencePassed(_ change: Int) {
    guard change == routingState.changeCount, routingState.phase == .fencing else { return }
    routingState.phase = .switching
    switchSubscriptions()
    advanceRouting()
  }

  private func holdLimitPassed() {
    guard routingState.pending != nil else { return }
    if routingState.dualExecutions > 0, routingState.pending != routingState.current {
      logger.warning(
        "Feature flags in force before all earlier writes were done on both stores: they may be in another order there",
        metadata: [
          "instance_name": "\(configuration.name)",
          "unfinished_executions": .stringConvertible(routingState.dualExecutions),
        ]
      )
    }
    routingState.phase = .settled
    abortSwitches()
    settleRouting()
  }

  private func settleRouting() {
    routingState.phase = .settled
    routingState.changeCount += 1
    let before = routingState.current
    if let pending = routingState.pending {
      // With dual writes off a store misses all writes: which keys failed before says nothing any more.
      if before.isDual, !pending.isDual { forgetStaleKeys() }
      if !before.isDual, pending.isDual {
        FunctionCopy(to: store(pending.defaultStore.other), of: self).begin(from: store(pending.defaultStore))
      }
      if before.defaultStore != pending.defaultStore {
        store(pending.defaultStore).family.forEach(loadScripts)
        endWatchesForMove()
      }
      routingState.current = pending
      if before.defaultStore != pending.defaultStore { serveAllStores() }
      for command in blockedCommands.all.values { command.follow(pending) }
      status.set(pending, now: loop.wallClockMilliseconds)
      routingState.pending = nil
    }
    routingState.holdTimer?.cancel()
    settleSubscriptions(isMove: routingState.current.defaultStore != before.defaultStore)
    resumeBlockedCommands()
    notifyWaiting()
    guard routingState.isOutdated else { return }
    routingState.isOutdated = false
    flagsChanged()
  }

  private func forgetStaleKeys() {
    secondary.family.forEach { $0.stale.removeAll() }
    primary?.family.forEach { $0.stale.removeAll() }
  }
}
