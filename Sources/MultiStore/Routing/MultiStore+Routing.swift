internal import EventLoop
internal import Logging

/// The routing of an instance: the flip, what it waits for, and what waits for it.
struct RoutingState {
  /// How long commands wait for a flip at most: a store that hangs must not keep the operator from leaving it.
  static let holdLimit = Duration.seconds(1)

  var flip: Flip
  /// The clients that watch keys on the default store.
  var watches = OpenWatches()
  /// The number of executions in flight that write to both stores.
  var dualExecutions = 0
  /// The sinks that asked for the routing while a flip waited.
  var waiting: [ReplySink] = []
  var holdTimer: LoopTimer?

  init(current: Routing) {
    flip = Flip(current: current)
  }

  /// Whether the client that watches `watch` goes on with the current routing while all others wait.
  func letsEnd(_ watch: KeyWatch?) -> Bool { watch.map { flip.letsWatchesEnd && watches.isOpen($0) } ?? false }
}

extension MultiStore {
  /// The routing for the next command, pipeline or transaction.
  ///
  /// - Parameter watch: the client's watch, if any. While the default store is to move, the client goes on until it has
  ///   ended.
  /// - Returns: nil while a flip waits for executions in flight. ``ReplySink/routingDidSettle()`` of `sink` is called
  ///   then, within `RoutingState.holdLimit`.
  public func routing(orNotify sink: ReplySink, watching watch: KeyWatch? = nil) -> Routing? {
    if let parent { return parent.routing(orNotify: sink, watching: watch) }
    if flags.state != routingState.flip.flags { flagsChanged() }
    guard !routingState.flip.isSettled, !routingState.letsEnd(watch) else { return routingState.flip.current }
    routingState.waiting.append(sink)
    return nil
  }

  /// The store whose reply is the client's, for commands in flight.
  public var defaultStore: Store { store(root.routingState.flip.current.defaultStore) }

  /// The flags were changed, or both stores turned out to be the same or no longer the same.
  func flagsChanged() {
    let flags = flags.state
    let routing = Routing(
      flags: flags,
      canUsePrimary: hasPrimary && !storesAreSame,
      readPolicy: configuration.readPolicy
    )
    switch routingState.flip.flagsChanged(flags, to: routing) {
    case .none: return
    case .settle(let settlement):
      prepareSubscriptions(for: routing.defaultStore)
      settle(settlement)
    case .hold(let hold): self.hold(hold, limit: RoutingState.holdLimit)
    }
  }

  /// Holds new commands until subscribers that were late for a move have left the old default store.
  func holdForLateMove() {
    hold(routingState.flip.lateMoveBegan(), limit: SubscriptionRegistry.lateHoldLimit)
  }

  private func hold(_ hold: Flip.Hold, limit: Duration) {
    prepareSubscriptions(for: hold.next.defaultStore)
    unblockCommands(on: hold.next.defaultStore.other)
    advanceRouting()
    guard !routingState.flip.isSettled else { return }
    if routingState.holdTimer == nil {
      routingState.holdTimer = LoopTimer(on: loop) { [unowned self] in holdLimitPassed() }
    }
    if hold.beginsLimit { routingState.holdTimer?.schedule(after: limit) }
    // A client that watches keys may wait for an earlier flip, and this one waits for it.
    if routingState.flip.letsWatchesEnd, routingState.watches.count > 0 { notifyWaiting() }
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
    if routingState.dualExecutions == 0, !routingState.flip.isSettled { advanceRouting() }
  }

  /// Takes the next step of a flip that waits, if it does not have to wait any longer.
  func advanceRouting() {
    guard !routingState.flip.isSettled else { return }
    let progress = Flip.Progress(
      isExecuting: routingState.dualExecutions > 0,
      awaitsClients: awaitsSubscriptions || awaitsBlockedCommands || routingState.watches.count > 0,
      hasPreparedSubscriptions: hasPreparedSubscriptions,
      hasSwitchingSubscriptions: hasSwitchingSubscriptions
    )
    switch routingState.flip.advance(progress) {
    case .none: return
    case .fence(let fence, let role):
      // Not weakly: an object that was ever referred to weakly is slower to retain for good. The store answers, or its
      // connection is closed after a timeout, and then the reference is gone.
      store(role).fence { self.fencePassed(fence) }
    case .settle(let settlement): settle(settlement)
    }
  }

  private func fencePassed(_ fence: Flip.Fence) {
    guard routingState.flip.fencePassed(fence) == .switchSubscriptions else { return }
    switchSubscriptions()
    advanceRouting()
  }

  private func holdLimitPassed() {
    guard let settlement = routingState.flip.limitPassed() else { return }
    if routingState.dualExecutions > 0, settlement.before != settlement.after {
      logger.warning(
        "Feature flags in force before all earlier writes were done on both stores: they may be in another order there",
        metadata: [
          "instance_name": "\(configuration.name)",
          "unfinished_executions": .stringConvertible(routingState.dualExecutions),
        ]
      )
    }
    abortSwitches()
    settle(settlement)
  }

  /// Applies the routing that has come into force.
  private func settle(_ settlement: Flip.Settlement) {
    let routing = settlement.after
    if settlement.before != routing {
      // With dual writes off a store misses all writes: the memory of failed ones means nothing any more.
      if settlement.endsDual { forgetStaleKeys() }
      if settlement.beginsDual {
        FunctionCopy(to: store(routing.defaultStore.other), of: self).begin(from: store(routing.defaultStore))
      }
      if settlement.isMove {
        store(routing.defaultStore).family.forEach(loadScripts)
        endWatchesForMove()
        serveAllStores()
      }
      for command in blockedCommands.all.values { command.follow(routing) }
      status.set(routing, now: loop.wallClockMilliseconds)
    }
    routingState.holdTimer?.cancel()
    settleSubscriptions(isMove: settlement.isMove)
    resumeBlockedCommands()
    notifyWaiting()
    if settlement.isOutdated { flagsChanged() }
  }

  private func forgetStaleKeys() {
    secondary.family.forEach { $0.stale.removeAll() }
    primary?.family.forEach { $0.stale.removeAll() }
  }
}
