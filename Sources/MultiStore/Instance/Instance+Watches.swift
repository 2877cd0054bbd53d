internal import CoreMetrics
internal import Logging

/// WATCH and flips. A flip that keeps the default store does not affect watches. While one that moves it waits, only
/// clients that watch keys continue, until they have sent EXEC.
extension Instance {
  /// Registers a client that begins to watch keys on the default store, until ``endWatch(_:)``.
  public func beginWatch() -> KeyWatch { routingState.watches.begin() }

  /// Ends a client's watch, void or not. The default store may move before this call returns, so the caller has to
  /// request the routing again. EXEC has to be in flight by then.
  public func endWatch(_ watch: KeyWatch) {
    routingState.watches.end(watch)
    advanceRouting()
  }

  /// Whether the keys are watched on the store that is the default one, and have been since the watch began.
  public func isOpen(_ watch: KeyWatch) -> Bool { routingState.watches.isOpen(watch) }

  /// Whether a move of the default store waits for open watches to end.
  public var awaitsWatches: Bool { routingState.flip.isMoving }

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
