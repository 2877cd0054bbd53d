internal import EventLoop

/// The routing of an instance: the flip, the state that it waits for, and the callers that wait for it.
struct RoutingState {
  /// The longest time that commands wait for a flip: a store that hangs must not keep the operator from moving away
  /// from it.
  var holdLimit = Duration.seconds(1)

  var flip: Flip
  /// The flags when they were looked at last.
  var reading = FeatureFlags.Reading.none
  /// The clients that watch keys on the default store.
  var watches = OpenWatches()
  /// The number of executions in flight that write to both stores.
  var dualExecutions = 0
  /// The moves that did not wait for all executions in flight, of which the former default store has not yet answered
  /// everything that was sent to it before, nor the new one its copies.
  var unfencedMoves = 0
  /// The callers that asked for the routing while a flip waited.
  var waiting: [any RoutingWaiter] = []
  var holdTimer: LoopTimer?
  /// The number of keys that were stale on the next default store when the hold began.
  var staleKeysBeforeMove = 0

  init(current: Routing) {
    flip = Flip(current: current)
  }

  /// Whether writes from before a move may still be executed by the former default store.
  var hasLateWrites: Bool { unfencedMoves > 0 }

  /// Whether the client that watches `watch` continues with the current routing while all others wait.
  func letsEnd(_ watch: KeyWatch?) -> Bool { watch.map { flip.isMoving && watches.isOpen($0) } ?? false }
}
