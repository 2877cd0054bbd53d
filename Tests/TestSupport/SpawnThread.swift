internal import Foundation

/// Runs closures on one thread that never ends.
///
/// Linux kills a child that asked for it (`PR_SET_PDEATHSIG`) when the *thread* that made it ends, not the process.
/// Tests run on pool threads that come and go, so children are made here.
final class SpawnThread: Sendable {
  static let shared = SpawnThread()

  private let queue = LockedQueue<@Sendable () -> Void>()

  private init() {
    let thread = Thread { [queue] in
      while let work = queue.next() { work() }
    }
    thread.name = "test children"
    thread.start()
  }

  /// Runs `work` on the thread and waits for its result.
  func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) -> Result {
    let answer = LockedQueue<Result>()
    queue.append { answer.append(work()) }
    // The queue is never closed, so there is always an answer.
    return answer.next()!
  }
}

/// A queue between threads whose reader waits while it is empty.
final class LockedQueue<Element: Sendable>: @unchecked Sendable {
  // `condition` guards `elements` and `isClosed`: each is touched only between its lock and unlock.
  private let condition = NSCondition()
  private var elements: [Element] = []
  private var isClosed = false

  func append(_ element: Element) {
    condition.withLock {
      elements.append(element)
      condition.signal()
    }
  }

  func close() {
    condition.withLock {
      isClosed = true
      condition.broadcast()
    }
  }

  /// The first element, waited for; nil once the queue is closed and empty.
  func next() -> Element? {
    condition.withLock {
      while elements.isEmpty {
        if isClosed { return nil }
        condition.wait()
      }
      return elements.removeFirst()
    }
  }
}
