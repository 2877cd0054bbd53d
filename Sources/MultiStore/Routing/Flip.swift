/// The state machine of a flip: the transition from a change of the flags to the active routing.
///
/// A dual write that began under the old flags may not have reached both stores yet. A write that began under the new
/// ones could overtake it on one of them, and the two stores would end with different values. So a flip waits until the
/// dual executions in flight have ended, and new commands wait for the flip. When the default store moves, subscribers
/// and blocked commands move meanwhile, and clients that watch keys continue until EXEC.
///
/// Each event method changes the state and returns the next step of ``Instance``. A value without references, so that
/// commands read it without a copy.
struct Flip {
  /// Identifies one fence, so that one of an earlier flip is ignored.
  struct Fence: Equatable {
    fileprivate let number: UInt64
  }

  /// The states, each with the data that exists only in it.
  enum State: Equatable {
    /// `current` is active, and no flip waits.
    case settled
    /// Dual executions and watches end, subscribers join the new default store, blocked commands are unblocked. `next`
    /// is equal to `current` when only late subscribers move.
    case gathering(next: Routing)
    /// The old default store answers the commands sent to it before. `isOutdated` if the flags have changed again.
    case fencing(next: Routing, Fence, isOutdated: Bool)
    /// Subscribers leave the old default store.
    case switching(next: Routing, isOutdated: Bool)
  }

  /// The active routing.
  private(set) var current: Routing
  private(set) var state = State.settled
  /// The flags that `current`, or the routing of the flip that waits, was made from.
  private(set) var flags = FlagState()
  private var fenceCount: UInt64 = 0

  init(current: Routing) {
    self.current = current
  }

  /// Whether no flip waits.
  var isSettled: Bool { if case .settled = state { true } else { false } }

  /// Whether the default store is to move as soon as everything under way has ended. Clients that watch keys continue
  /// with `current` until then, while all others wait.
  var isMoving: Bool {
    if case .gathering(let next) = state { next.defaultStore != current.defaultStore } else { false }
  }

  /// The default store as soon as no flip waits.
  var comingDefaultStore: StoreRole {
    switch state {
    case .settled: current.defaultStore
    case .gathering(let next), .fencing(let next, _, _), .switching(let next, _): next.defaultStore
    }
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("a flip gets the event '\(event)' in the state \(state)")
  }
}

// MARK: Beginning

extension Flip {
  /// A hold of new commands.
  struct Hold: Equatable {
    /// The routing to come.
    let next: Routing
    /// Whether the time limit begins now. A second change does not extend the time for which commands wait already.
    let beginsLimit: Bool
  }

  /// The step after a change of the flags.
  enum ChangeAction: Equatable {
    /// The flip in progress ends first.
    case none
    /// The routing is `current` already, so that nothing changes.
    case settle(Settlement)
    /// Hold new commands, and move clients if the default store moves.
    case hold(Hold)
  }

  /// Handles a change of the flags, or of their meaning since both stores are, or are no longer, the same.
  mutating func flagsChanged(_ flags: FlagState, to routing: Routing) -> ChangeAction {
    var isHolding = false
    switch state {
    // Clients that are between the stores arrive first.
    case .fencing(let next, let fence, _):
      state = .fencing(next: next, fence, isOutdated: true)
      return .none
    case .switching(let next, _):
      state = .switching(next: next, isOutdated: true)
      return .none
    case .gathering(let next): isHolding = next != current
    case .settled: break
    }
    self.flags = flags
    guard routing != current else { return .settle(settle(to: current, isOutdated: false)) }
    state = .gathering(next: routing)
    return .hold(Hold(next: routing, beginsLimit: !isHolding))
  }

  /// Begins a hold for subscribers that were late for the last move: they have joined the default store, and new
  /// commands wait until they have left the other one.
  mutating func lateMoveBegan() -> Hold {
    guard isSettled else { impossible("late move began") }
    state = .gathering(next: current)
    return Hold(next: current, beginsLimit: true)
  }
}

// MARK: Progress

extension Flip {
  /// The routing that becomes active, and the one that it replaces.
  struct Settlement: Equatable {
    let before: Routing
    let after: Routing
    /// Whether the flags have changed again, so that the next flip begins at once.
    let isOutdated: Bool

    /// Whether the default store has moved.
    var isMove: Bool { before.defaultStore != after.defaultStore }
    /// Whether dual writes begin.
    var beginsDual: Bool { !before.isDual && after.isDual }
    /// Whether dual writes end.
    var endsDual: Bool { before.isDual && !after.isDual }
  }

  /// The state of everything that a flip waits for.
  struct Progress {
    /// Whether dual executions are in flight.
    var isExecuting = false
    /// Whether watches, subscribers or blocked commands have to get ready for a move.
    var awaitsClients = false
    /// Whether subscribers are subscribed on both stores.
    var hasPreparedSubscriptions = false
    /// Whether subscribers are leaving the old default store.
    var hasSwitchingSubscriptions = false
    /// Whether the next default store is still getting what it lacks.
    var isPreparingStore = false
  }

  /// The next step.
  enum StepAction: Equatable {
    case none
    /// Wait until `store` has answered everything that was sent to it, then call ``fencePassed(_:)``.
    case fence(Fence, StoreRole)
    case settle(Settlement)
  }

  /// The step when a fence has passed.
  enum FenceAction { case none, switchSubscriptions }

  /// Advances the flip after an event that it may wait for.
  mutating func advance(_ progress: Progress) -> StepAction {
    switch state {
    case .settled, .fencing: return .none
    case .gathering(let next):
      // When the default store does not move, no command waits for late clients.
      guard !progress.isExecuting, !isMoving || !progress.awaitsClients && !progress.isPreparingStore else {
        return .none
      }
      // Commands sent to the default store alone are not copied: they must not follow those that go to both.
      let beginsDual = !current.isDual && next.isDual
      guard beginsDual || progress.hasPreparedSubscriptions else {
        return .settle(settle(to: next, isOutdated: false))
      }
      fenceCount += 1
      let fence = Fence(number: fenceCount)
      state = .fencing(next: next, fence, isOutdated: false)
      return .fence(fence, current.defaultStore)
    case .switching(let next, let isOutdated):
      guard !progress.hasSwitchingSubscriptions else { return .none }
      return .settle(settle(to: next, isOutdated: isOutdated))
    }
  }

  /// Handles the end of `fence`: the old default store has answered everything that was sent to it before, or never
  /// will.
  mutating func fencePassed(_ fence: Fence) -> FenceAction {
    guard case .fencing(let next, fence, let isOutdated) = state else { return .none }
    state = .switching(next: next, isOutdated: isOutdated)
    return .switchSubscriptions
  }

  /// Ends the flip at the time limit, without what it still waits for.
  ///
  /// - Returns: nil if none waits.
  mutating func limitPassed() -> Settlement? {
    switch state {
    case .settled: return nil
    case .gathering(let next): return settle(to: next, isOutdated: false)
    case .fencing(let next, _, let isOutdated), .switching(let next, let isOutdated):
      return settle(to: next, isOutdated: isOutdated)
    }
  }

  private mutating func settle(to next: Routing, isOutdated: Bool) -> Settlement {
    defer {
      state = .settled
      current = next
    }
    return Settlement(before: current, after: next, isOutdated: isOutdated)
  }
}
