/// The state machine of the copies of all functions to the other store: whether one is necessary, and when it begins.
///
/// Both stores get each change of the functions. A copy is necessary when dual writes begin, when the other store has
/// become another process, and when it has missed a change. One that fails is repeated, and so is one during which the
/// functions have changed. A value without references; ``Instance`` sends.
struct FunctionCopyState {
  /// The treatment of libraries that the other store alone has: the policy of FUNCTION RESTORE.
  enum Policy: Comparable {
    /// They stay, since an operator may have loaded them there.
    case replace
    /// They are removed, since the other store may have missed their removal.
    case flush
  }

  private enum State: Equatable {
    /// The other store has got every change, as far as is known.
    case complete
    /// A copy is necessary, and may begin at a time of the loop's clock.
    case due(Policy, from: UInt64)
    /// A copy is in flight. Another one follows it unless `next` is nil.
    case copying(Policy, next: Policy?)
  }

  /// The pause before a copy that failed is repeated, in nanoseconds: the same as that of a key.
  static let retryPause = StaleKeys.retryPause

  /// The reason why a copy failed.
  struct Failure: Equatable {
    enum Kind {
      /// The same copy may succeed later.
      case passing
      /// The store would refuse the same copy again.
      case lasting
      /// The default store's user may not read functions, so that its clients can't change them either.
      case forbidden
    }

    let reason: String
    let kind: Kind
  }

  private var state = State.complete
  /// The reason for which the last copy failed; nil if it did not.
  private var lastFailure: Failure?

  /// Whether a copy is in flight.
  var isCopying: Bool { if case .copying = state { true } else { false } }

  /// The reason why the other store lacks functions, or has too many, and none of them can be copied at the moment; nil
  /// if that is not known.
  var obstacle: String? {
    guard case .due = state, let lastFailure, lastFailure.kind != .forbidden else { return nil }
    return lastFailure.reason
  }

  /// Records that the other store may lack functions, or have too many.
  mutating func require(_ policy: Policy) {
    switch state {
    case .complete: state = .due(policy, from: 0)
    case .due(let earlier, _): state = .due(max(earlier, policy), from: 0)
    case .copying(let current, let next): state = .copying(current, next: max(next ?? policy, policy))
    }
  }

  /// Records that the default store has executed a change, of which the other store gets a copy. A dump from before it
  /// would undo it there.
  mutating func functionsDidChange(_ policy: Policy) {
    if isCopying { require(policy) }
  }

  /// Begins the copy that is due, if there is one.
  ///
  /// - Parameters:
  ///   - now: nanoseconds of the loop's clock.
  ///   - isHurried: whether to begin without the pause after a failure.
  /// - Returns: the policy of the copy; nil if none begins.
  mutating func begin(at now: UInt64, isHurried: Bool) -> Policy? {
    guard case .due(let policy, let time) = state, isHurried || time <= now else { return nil }
    state = .copying(policy, next: nil)
    return policy
  }

  /// Records the end of a copy that the other store has executed.
  ///
  /// - Returns: whether the copy before it had failed.
  mutating func copied() -> Bool {
    guard case .copying(_, let next) = state else { impossible("copied") }
    state = next.map { State.due($0, from: 0) } ?? .complete
    defer { lastFailure = nil }
    return lastFailure != nil
  }

  /// Records the end of a copy that failed.
  ///
  /// - Parameters:
  ///   - failure: the error of the store, or of the connection. Unless it is passing, only another connection or change
  ///     is worth an attempt.
  ///   - now: nanoseconds of the loop's clock.
  /// - Returns: whether the copy before it did not fail, or for another reason.
  mutating func failed(_ failure: Failure, at now: UInt64) -> Bool {
    guard case .copying(let policy, let next) = state else { impossible("failed") }
    let retry = failure.kind == .passing ? now + Self.retryPause : .max
    // A change that was missed meanwhile is worth an attempt at once.
    state = .due(max(policy, next ?? policy), from: next == nil ? retry : 0)
    defer { lastFailure = failure }
    return lastFailure != failure
  }

  /// Records a move of the default store: the functions of the new one count from now on.
  ///
  /// - Returns: whether the new one may lack changes.
  mutating func defaultStoreMoved() -> Bool {
    defer { self = FunctionCopyState() }
    return state != .complete
  }

  private func impossible(_ event: StaticString) -> Never {
    preconditionFailure("the copy of functions gets the event '\(event)' in the state \(state)")
  }
}
