internal import CoreMetrics
internal import Logging

/// WATCH and flips. A flip that leaves the default store where it is does not concern watches. One that moves it lets
/// only clients that watch keys go on, until they have sent EXEC.
extension Instance {
  /// Registers a client that begins to watch keys on the default store, until ``endWatch(_:)``.
  public func beginWatch() -> KeyWatch { routingState.watches.begin() }

  /// Ends a client's watch, void or not. The default store may move before this call returns, so that the caller has
  /// to ask for the routing again. EXEC has to be in flight by then.
  public func endWatch(_ watch: KeyWatch) {
    routingState.watches.end(watch)
    advanceRouting()
  }

  /// Whether the keys are watched on the store that is the default one, and have been since the watch began.
  public func isOpen(_ watch: KeyWatch) -> Bool { routingState.watches.isOpen(watch) }

  /// Whether a move of the default store waits for open watches to end.
  public var awaitsWatches: Bool { routingState.flip.letsWatchesEnd }

  /// Counts an EXEC that was answered with nil because its watch was lost.
  public func transactionWasRefused(because loss: WatchLoss) {
    metrics.watchLost(loss)
  }

  /// Makes void the watches that had not ended when the default store moved.
  func endWatchesForMove() {
    let count = routingState.watches.defaultStoreMoved()
    guard count > 0 else { return }
    logger.warning(
      "The default store moved while clients watched keys: their next EXEC answers nil",
      metadata: ["instance_name": "\(configuration.name)", "clients": .stringConvertible(count)]
    )
  }
}
