import Synchronization
import TestSupport

/// Clients that each increment a counter of their own, and remember what was answered.
final class CounterLoad: Sendable {
  private struct State {
    /// The value of each counter by its last answer.
    var values: [String: Int] = [:]
    /// The answers that were errors, whose commands may have been executed.
    var errors: [String: Int] = [:]
    var isOver = false
  }

  private let state = Mutex(State())
  private let threads = Mutex<Threads?>(nil)

  /// Starts four clients of the instance.
  ///
  /// - Parameter toleratesErrors: Whether an error reply is counted. Otherwise it fails the test in ``end()``.
  init(on sidecar: SidecarProcess, toleratesErrors: Bool = false) throws {
    let started = Threads(4) { [self] thread in
      let key = "counter:\(thread)"
      let client = try sidecar.client(instance: "sessions")
      while !state.withLock({ $0.isOver }) {
        let reply = try client.command("INCR", key)
        if let value = reply.integer {
          state.withLock { $0.values[key] = value }
        } else if toleratesErrors {
          state.withLock { $0.errors[key, default: 0] += 1 }
        } else {
          throw TestSupportError(.process, "INCR answered \(reply)")
        }
      }
    }
    threads.withLock { $0 = started }
  }

  /// Waits until each client has got twenty more numbers.
  func awaitProgress() throws {
    let before = state.withLock { $0.values }
    try eventually("clients go on") {
      let now = state.withLock { $0.values }
      return now.count == 4 && now.allSatisfy { $0.value > (before[$0.key] ?? 0) + 20 }
    }
  }

  /// Ends the clients.
  ///
  /// - Returns: The value of each counter by its last answer.
  /// - Throws: The first unexpected answer.
  func end() throws -> [String: Int] {
    state.withLock { $0.isOver = true }
    try threads.withLock { $0 }?.join()
    return state.withLock { $0.values }
  }

  /// The errors of a counter: increments that may have been executed.
  func errors(of key: String) -> Int { state.withLock { $0.errors[key] ?? 0 } }
}
