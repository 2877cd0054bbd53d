internal import Threads

/// One question from another thread to the loop of an instance. It is answered within a deadline, or withdrawn: then it
/// is not executed any more.
final class LoopQuestion<Answer: Sendable>: Sendable {
  private enum State {
    case waiting
    case executing
    case answered(Answer)
    case withdrawn
  }

  private let state = Monitor(State.waiting)

  /// Executes the question, unless it was withdrawn. Called once, on the loop.
  func execute(_ body: () -> Answer) {
    let isWanted = state.withLock { state in
      guard case .waiting = state else { return false }
      state = .executing
      return true
    }
    guard isWanted else { return }
    let answer = body()
    state.withLock { $0 = .answered(answer) }
    state.wakeAll()
  }

  /// Waits for the answer. Called once, on the thread that asks.
  ///
  /// - Parameter timeout: The time until the question has to be executed.
  /// - Returns: nil if it was withdrawn.
  func answer(within timeout: Duration) -> Answer? {
    if let answer = state.wait(atMost: timeout, for: Self.answer) { return answer }
    let isWithdrawn = state.withLock { state in
      guard case .waiting = state else { return false }
      state = .withdrawn
      return true
    }
    // A question that is being executed ends soon.
    return isWithdrawn ? nil : state.wait(for: Self.answer)
  }

  private static func answer(of state: inout State) -> Answer? {
    if case .answered(let answer) = state { answer } else { nil }
  }
}
