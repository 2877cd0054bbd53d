internal import Hiredis

/// The state machine of a batch that waits for keys that are copied to the default store; see ``KeyArrival``.
///
/// Keys that are stale there are copied over, in rounds: while one copy of a key is waited for, another may begin. Keys
/// that it lacks are asked for once, and moved.
struct KeyArrivalState {
  /// The states, each with the data that exists only in it.
  enum State: Equatable {
    /// The keys are looked at: `hasFailed` if a copy of the last round has, `hasAsked` if it is known which keys the
    /// store has.
    case looking(hasFailed: Bool, hasAsked: Bool)
    /// Stale keys are being copied over.
    case copying(left: Int, hasFailed: Bool, hasAsked: Bool)
    /// The default store is asked which keys it has.
    case asking(left: Int, AskingFailure?)
    /// Keys that the default store lacks are being moved.
    case moving(left: Int, hasFailed: Bool)
    /// The batch is executed, or answered with an error.
    case ended
  }

  /// The failure of the default store to say whether it has a key.
  struct AskingFailure: Equatable {
    /// The error that the client gets.
    let clientError: String
    let failure: ConnectionFailure
  }

  /// The holder's next step.
  enum Action: Equatable {
    /// Nothing, until the next event.
    case wait
    /// Look at the keys, and call ``looked(outdated:questions:)``.
    case look
    /// Copy the outdated keys over.
    case copy
    /// Ask the default store which keys it has.
    case ask
    /// Move the keys that it lacks, and call ``moveBegan(_:)``.
    case move
    /// Execute the batch.
    case execute
    /// A key could not be copied over, and is still outdated: execute only what does not need it.
    case giveUp
    /// The default store did not say which keys it has: execute nothing.
    case failAsking(AskingFailure)
    /// A key that the old store has could not be moved: execute nothing.
    case failMoving
  }

  /// The outcome of the copy of one key.
  enum Outcome {
    case done
    /// The other store could not be reached, or executes nothing at present.
    case unreachable
    /// The other store does not give the key away, or the default store did not take it.
    case failed
  }

  private(set) var state = State.looking(hasFailed: false, hasAsked: false)

  /// The keys were looked at.
  ///
  /// - Parameters:
  ///   - outdated: the keys of the batch that are stale on the default store, or being copied there.
  ///   - questions: the keys whose presence on the default store has to be known.
  ///   - canCopy: whether the other store has the values of the outdated keys.
  mutating func looked(outdated: Int, questions: Int, canCopy: Bool = true) -> Action {
    guard case .looking(let hasFailed, let hasAsked) = state else { impossible("looked") }
    if outdated > 0 {
      let givesUp = hasFailed || !canCopy
      state = givesUp ? .ended : .copying(left: outdated, hasFailed: false, hasAsked: hasAsked)
      return givesUp ? .giveUp : .copy
    }
    let asks = !hasAsked && questions > 0
    state = asks ? .asking(left: questions, nil) : .ended
    return asks ? .ask : .execute
  }

  /// The default store has answered whether it has a key.
  ///
  /// - Parameter failure: its failure to do so.
  mutating func answered(_ failure: AskingFailure? = nil) -> Action {
    guard case .asking(let left, let earlier) = state else { impossible("answered") }
    let failure = failure ?? earlier
    if left == 1, let failure {
      state = .ended
      return .failAsking(failure)
    }
    state = .asking(left: left - 1, failure)
    return left == 1 ? .move : .wait
  }

  /// The copies of the keys that the default store lacks have begun.
  mutating func moveBegan(_ count: Int) -> Action {
    guard case .asking(left: 0, nil) = state else { impossible("move began") }
    state = count > 0 ? .moving(left: count, hasFailed: false) : .looking(hasFailed: false, hasAsked: true)
    return count > 0 ? .wait : .look
  }

  /// The copy of a key has ended.
  mutating func copyEnded(_ outcome: Outcome) -> Action {
    switch state {
    case .copying(let left, var hasFailed, let hasAsked):
      hasFailed = hasFailed || outcome != .done
      state =
        left > 1
        ? .copying(left: left - 1, hasFailed: hasFailed, hasAsked: hasAsked)
        : .looking(hasFailed: hasFailed, hasAsked: hasAsked)
      return left > 1 ? .wait : .look
    case .moving(let left, var hasFailed):
      hasFailed = hasFailed || outcome == .failed
      guard left == 1 else {
        state = .moving(left: left - 1, hasFailed: hasFailed)
        return .wait
      }
      // If the old store can't be reached, a key that the default store lacks counts as absent.
      state = hasFailed ? .ended : .looking(hasFailed: false, hasAsked: true)
      return hasFailed ? .failMoving : .look
    case .looking, .asking, .ended: impossible("copy ended")
    }
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("an arrival gets the event '\(event)' in the state \(state)")
  }
}
