internal import Synchronization

/// The reasons for which a listener closes a connection: the label `reason`.
public enum HTTPCloseReason: String, Sendable, CaseIterable {
  /// The first request was not complete in time.
  case requestTimeout = "request_timeout"
  /// No further request was complete in time.
  case idleTimeout = "idle_timeout"
  /// The client did not read the answer in time.
  case responseTimeout = "response_timeout"
  /// It had made no progress for the longest time when there were too many connections.
  case connectionLimit = "connection_limit"
  /// The same among the connections of its address, when those were too many.
  case addressLimit = "address_limit"
  /// Its answer was the oldest when answers took too much memory.
  case answerMemory = "answer_memory"
}

/// The counts of one ``HTTPServer``'s connections. Any thread may read; the server's own thread writes.
public final class HTTPConnectionCounts: Sendable {
  private let openCount = Atomic(0)
  private let closedByReason = Mutex<[HTTPCloseReason: Int]>([:])

  /// The number of open connections.
  public var open: Int { openCount.load(ordering: .relaxed) }

  /// Returns the number of connections closed for a reason.
  public func closed(_ reason: HTTPCloseReason) -> Int { closedByReason.withLock { $0[reason, default: 0] } }

  func didClose(_ reason: HTTPCloseReason) { closedByReason.withLock { $0[reason, default: 0] += 1 } }

  func setOpen(_ count: Int) { openCount.store(count, ordering: .relaxed) }
}
