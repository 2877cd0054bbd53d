internal import EventLoop
internal import Logging

/// The flags, and flips: the transitions from a change of the flags to the active routing.
extension Instance {
  /// The routing for the next command, pipeline or transaction.
  ///
  /// - Parameter watch: the client's watch, if any. While a move of the default store waits, the client continues until
  ///   the watch has ended.
  /// - Returns: nil while a flip waits for executions in flight. ``RoutingWaiter/routingDidSettle()`` of `waiter`
  ///   is called then, within `RoutingState.holdLimit`.
  public func routing(orNotify waiter: any RoutingWaiter, watching watch: KeyWatch? = nil) -> Routing? {
    applyFlags()
    guard !routingState.flip.isSettled, !routingState.letsEnd(watch) else { return routingState.flip.current }
    routingState.waiting.append(waiter)
    return nil
  }

  /// Begins a flip if the flags have changed, as the next command does, or a timer within a quarter of a second. The
  /// recorder gets the change before this function returns, unless the change has to be forced.
  public func noticeFlags() {
    loop.preconditionOnLoop()
    applyFlags()
  }

  /// Begins a flip if the flags have changed and no command has noticed that yet.
  @inline(__always)
  func applyFlags() {
    if flags.reading != routingState.reading { flagsChanged() }
  }

  /// Begins a flip after a change of the flags, or after both stores turned out to be the same or no longer the same.
  func flagsChanged() {
    guard !isClosed else { return }
    let reading = flags.reading
    routingState.reading = reading
    let canUsePrimary = hasPrimary && !storesAreSame
    let routing = Routing(flags: reading.state, canUsePrimary: canUsePrimary, readPolicy: configuration.readPolicy)
    // Dual write may have been on and off again since the last look.
    if reading.dualWriteWasOn, canUsePrimary, !wasDual {
      wasDual = true
      noteRouting()
    }
    switch routingState.flip.flagsChanged(reading.state, to: routing) {
    case .none: return
    case .settle(let settlement):
      subscriptions.prepare(for: routing.defaultStore)
      settle(settlement)
    case .hold(let hold): self.hold(hold, limit: routingState.holdLimit)
    }
  }

  /// Holds new commands until subscribers that were late for a move have left the old default store.
  func holdForLateMove() {
    hold(routingState.flip.lateMoveBegan(), limit: SubscriptionRegistry.lateHoldLimit)
  }

  private func hold(_ hold: Flip.Hold, limit: Duration) {
    // A second change does not hide what the first one found.
    let staleKeys = family(hold.next.defaultStore).staleKeyCount
    routingState.staleKeysBeforeMove =
      hold.beginsLimit ? staleKeys : max(staleKeys, routingState.staleKeysBeforeMove)
    recordMove(to: hold.next)
    if hold.next.defaultStore != defaultRole {
      copyFunctions(isHurried: true)
      beginScriptLoad(into: hold.next.defaultStore)
    }
    subscriptions.prepare(for: hold.next.defaultStore)
    blockedCommands.unblock(on: hold.next.defaultStore.other)
    advanceRouting()
    guard !routingState.flip.isSettled else { return }
    if routingState.holdTimer == nil {
      routingState.holdTimer = LoopTimer(on: loop) { [unowned self] in holdLimitPassed() }
    }
    if hold.beginsLimit { routingState.holdTimer?.schedule(after: limit) }
    // This flip waits for clients that watch keys, which may be waiting for an earlier one.
    if routingState.flip.isMoving, routingState.watches.count > 0 { notifyWaiting() }
  }

  private func notifyWaiting() {
    let waiting = routingState.waiting
    routingState.waiting = []
    for waiter in waiting { waiter.routingDidSettle() }
  }

  /// - Returns: the loop's clock.
  func dualExecutionBegan() -> UInt64 {
    routingState.dualExecutions += 1
    return loop.now
  }

  /// Whether executions that write to both stores are in flight.
  var hasDualExecutions: Bool { routingState.dualExecutions > 0 }

  func dualExecutionEnded() {
    routingState.dualExecutions -= 1
    if routingState.dualExecutions == 0, !routingState.flip.isSettled { advanceRouting() }
  }

  /// Advances the flip that waits, if it does not have to wait any longer.
  func advanceRouting() {
    guard !routingState.flip.isSettled else { return }
    let progress = Flip.Progress(
      isExecuting: routingState.dualExecutions > 0,
      awaitsClients: subscriptions.arePreparing || blockedCommands.areUnblocking || routingState.watches.count > 0,
      hasPreparedSubscriptions: subscriptions.hasPrepared,
      hasSwitchingSubscriptions: subscriptions.hasSwitching,
      isPreparingStore: isPreparingStore
    )
    switch routingState.flip.advance(progress) {
    case .none: return
    case .fence(let fence, let role):
      // Not a weak reference: an object that ever had one is slower to retain from then on. The store answers, or its
      // connection is closed after a timeout, and then the reference is released.
      family(role).fence { self.fencePassed(fence) }
    case .settle(let settlement): settle(settlement)
    }
  }

  /// Whether the flip that waits moves the default store to one that is still getting what it lacks: keys that are
  /// stale there, functions, or scripts.
  private var isPreparingStore: Bool {
    guard case .gathering(let next) = routingState.flip.state, next.defaultStore != defaultRole else { return false }
    keyQueue.wake()
    return functionCopies.isCopying || scriptLoad?.isInFlight == true || keyQueue.isHealing(next.defaultStore)
  }

  private func fencePassed(_ fence: Flip.Fence) {
    guard routingState.flip.fencePassed(fence) == .switchSubscriptions else { return }
    subscriptions.beginSwitch()
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
    subscriptions.abortSwitch()
    if settlement.isMove {
      routingState.unfencedMoves += 1
      // Not a weak reference, as for the flip's own fence.
      let (former, next) = (family(settlement.before.defaultStore), family(settlement.after.defaultStore))
      former.fence { next.fence { self.routingState.unfencedMoves -= 1 } }
    }
    settle(settlement)
  }

  /// Applies the routing that has become active.
  private func settle(_ settlement: Flip.Settlement) {
    let routing = settlement.after
    if settlement.before != routing {
      if settlement.isMove { noteMoveOfFunctions() }
      if settlement.beginsDual {
        functionCopies.require(.replace)
        copyFunctions(isHurried: true)
        if configuration.scripts == .runOnBoth { functions.ask(family(routing.defaultStore).first) }
        lookForEmptiedStore(dualWriteBegins: true)
      }
      if settlement.isMove {
        endScriptLoad(into: routing.defaultStore)
        endWatchesForMove()
        databases.serveStores()
        noteMove(to: routing.defaultStore)
        jobs.defaultStoreMoved()
      }
      epoch += 1
      noteRouting()
      blockedCommands.follow(routing)
      status.set(routing, now: loop.wallClockMilliseconds)
    } else {
      // A move that was taken back is recorded already.
      noteRouting()
    }
    routingState.holdTimer?.cancel()
    subscriptions.settle(routing, isMove: settlement.isMove, of: self)
    blockedCommands.flipEnded(with: routing)
    notifyWaiting()
    if settlement.isOutdated { flagsChanged() }
  }
}
