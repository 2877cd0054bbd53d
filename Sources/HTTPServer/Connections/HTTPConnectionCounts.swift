internal import Synchronization

/// Why a listener has closed a connection by itself: the label `reason`.
public enum HTTPCloseReason: String, Sendable, CaseIterable {
  /// The first request was not whole in time.
  case requestTimeout = "request_timeout"
  /// No further request came in time.
  case idleTimeout = "idle_timeout"
  /// The client did not take the answer in time.
  case responseTimeout = "response_timeout"
  /// It had made no progress for longest when there were too many connections.
  case connectionLimit = "connection_limit"
  /// The same among the connections of its address, when those were too many.
  case addressLimit = "address_limit"
  /// Its answer had been under way longest when answers took too much memory.
  case answerMemory = "answer_memory"
}

/// The connections of one ``HTTPServer``, counted. Any thread may read; the server's own thread writes.
public final class HTTPConnectionCounts: Sendable {
  private let openCount = Atomic(0)
  private let closedByReason = Mutex<[HTTPCloseReason: Int]>([:])

  /// Connections that are open now.
  public var open: Int { openCount.load(ordering: .relaxed) }

  /// Connections that the server has closed for a reason.
  public func closed(_ reason: HTTPCloseReason) -> Int { closedByReason.withLock { $0[reason, default: 0] } }

  func didClose(_ reason: HTTPCloseReason) { closedByReason.withLock { $0[reason, default: 0] += 1 } }

  func setOpen(_ count: Int) { openCount.store(count, ordering: .relaxed) }
}
