internal import EventLoop
internal import Logging

/// Which routing is in force, and a change of it that has to wait.
///
/// A dual write that began under the old flags may not have reached both stores yet. A write that began under the new
/// ones could overtake it on one of them, and the two stores would end with different values. So a change waits until
/// the dual executions under way are done, and whoever wants to begin something waits with it.
struct RoutingState {
  /// How long a change waits at most: a store that hangs must not keep the operator from leaving it.
  static let holdLimit = Duration.seconds(1)

  var current: Routing
  /// What the flags say now, if that is not in force yet.
  var pending: Routing?
  /// Executions that write to both stores and have not ended.
  var dualExecutions = 0
  /// Those who asked while a change was waiting.
  var waiting: [ReplySink] = []
  var holdTimer: LoopTimer?
  /// The flags that `current` or `pending` was made from.
  var flags = FlagState()
}

extension MultiStore {
  /// What the flags mean for the next command, pipeline or transaction.
  ///
  /// - Returns: nil while a change of the flags waits for executions under way; `sink` then hears
  ///   ``ReplySink/routingDidSettle()``, within `RoutingState.holdLimit`.
  public func routing(orNotify sink: ReplySink) -> Routing? {
    if flags.state != routingState.flags { flagsChanged() }
    guard routingState.pending != nil else { return routingState.current }
    routingState.waiting.append(sink)
    return nil
  }

  /// The store whose reply is the client's, as far as commands under way are concerned.
  public var defaultStore: Store { store(routingState.current.defaultStore) }

  /// The flags say something new, or it was found out whether both stores are the same.
  func flagsChanged() {
    routingState.flags = flags.state
    let routing = Routing(
      flags: routingState.flags,
      canUsePrimary: hasPrimary && !storesAreSame,
      readPolicy: configuration.readPolicy
    )
    routingState.pending = routing == routingState.current ? nil : routing
    guard routingState.pending != nil, routingState.dualExecutions > 0 else { return settleRouting() }
    if routingState.holdTimer == nil {
      routingState.holdTimer = LoopTimer(on: loop) { [unowned self] in holdLimitPassed() }
    }
    routingState.holdTimer?.schedule(after: RoutingState.holdLimit)
  }

  func dualExecutionBegan() {
    routingState.dualExecutions += 1
  }

  func dualExecutionEnded() {
    routingState.dualExecutions -= 1
    if routingState.dualExecutions == 0, routingState.pending != nil { settleRouting() }
  }

  private func holdLimitPassed() {
    guard routingState.pending != nil else { return }
    logger.warning(
      "Feature flags in force before all earlier writes were done on both stores: they may be in another order there",
      metadata: [
        "instance_name": "\(configuration.name)",
        "unfinished_executions": .stringConvertible(routingState.dualExecutions),
      ]
    )
    settleRouting()
  }

  private func settleRouting() {
    if let pending = routingState.pending {
      // With dual writes off a store misses all writes: which keys failed before says nothing any more.
      if routingState.current.isDual, !pending.isDual { forgetStaleKeys() }
      routingState.current = pending
      routingState.pending = nil
    }
    routingState.holdTimer?.cancel()
    let waiting = routingState.waiting
    routingState.waiting = []
    for sink in waiting { sink.routingDidSettle() }
  }

  private func forgetStaleKeys() {
    secondary.stale.removeAll()
    primary?.stale.removeAll()
  }
}
