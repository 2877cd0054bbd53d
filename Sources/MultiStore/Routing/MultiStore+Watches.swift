internal import CoreMetrics
internal import Logging

/// WATCH and changes of the flags. A change that leaves the default store where it is does not concern watches. One
/// that moves it lets clients go on that watch keys, and no others, until they have sent EXEC.
extension MultiStore {
  /// Registers a client that begins to watch keys on the default store. It ends with ``endWatch(_:)``.
  public func beginWatch() -> KeyWatch { root.routingState.watches.begin() }

  /// Ends a client's watch, void or not. A move of the default store may follow before this call returns, so that the
  /// caller has to ask for the routing again. EXEC has to be under way by then.
  public func endWatch(_ watch: KeyWatch) {
    let root = root
    root.routingState.watches.end(watch)
    if root.routingState.pending != nil { root.advanceRouting() }
  }

  /// Whether the keys are watched on the store that is the default one, and have been since the watch began.
  public func isOpen(_ watch: KeyWatch) -> Bool { root.routingState.watches.isOpen(watch) }

  /// Whether a move of the default store waits for open watches to end.
  public var awaitsWatches: Bool { root.routingState.letsWatchesEnd }

  /// EXEC was answered with nil since its watch was lost.
  public func transactionWasRefused(because loss: WatchLoss) {
    metrics.watchLost(loss)
  }

  /// The default store has moved: a watch that did not end before is void.
  func endWatchesForMove() {
    let count = routingState.watches.defaultStoreMoved()
    guard count > 0 else { return }
    logger.warning(
      "The default store moved while clients watched keys: their next EXEC answers nil",
      metadata: ["instance_name": "\(configuration.name)", "clients": .stringConvertible(count)]
    )
  }
}
