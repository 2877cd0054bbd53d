import Foundation
import TestSupport

/// The time that threads may take unless a test says otherwise. A busy machine takes a minute for their thousands of
/// commands; the limit only decides how soon a hang is noticed.
private let threadLimit = Duration.seconds(180)

/// Runs `body` in so many threads at once, waits for all of them, and throws the first error.
///
/// Real threads, because the tests' clients block and the pool that runs tests has no thread to spare.
func inThreads(
  _ count: Int,
  within limit: Duration = threadLimit,
  _ body: @escaping @Sendable (Int) throws -> Void
) throws {
  try Threads(count, body).join(within: limit)
}

/// Threads that run beside the test.
final class Threads: @unchecked Sendable {
  // `condition` guards `running` and `failure`: each is touched only between its lock and unlock.
  private let condition = NSCondition()
  private var running: Int
  private var failure: (any Error)?

  /// Starts `count` threads; each gets its number.
  init(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
    running = count
    for index in 0..<count {
      Thread.detachNewThread { [self] in
        let result = Result { try body(index) }
        condition.withLock {
          if case .failure(let error) = result, failure == nil { failure = error }
          running -= 1
          condition.broadcast()
        }
      }
    }
  }

  /// Waits for all of them.
  ///
  /// - Throws: The first error that one of them threw, or ``TestSupportError`` with code `timedOut`.
  func join(within limit: Duration = threadLimit) throws {
    let deadline = Date(timeIntervalSinceNow: limit / .seconds(1))
    try condition.withLock {
      while running > 0 {
        guard condition.wait(until: deadline) || running == 0 else {
          throw TestSupportError(.timedOut, "\(running) threads still run after \(limit)")
        }
      }
      if let failure { throw failure }
    }
  }
}
