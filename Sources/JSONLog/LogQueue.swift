/// The lines that wait for the writer thread. The state behind the sink's lock.
struct LogQueue: Sendable {
  /// The next work of the thread.
  enum Work {
    /// Reopen the file if required, then write these lines.
    case lines([UInt8], reopen: Bool)
    /// End: no more lines follow.
    case stop
  }

  /// The capacity of a buffer that is reused; one that grew larger in a burst is freed.
  static let keptCapacityBytes = 256 * 1024

  private(set) var statistics = LogStatistics()
  /// The number of lines accepted since the beginning, and of those that were written or lost.
  private(set) var acceptedLines: UInt64 = 0
  private(set) var settledLines: UInt64 = 0
  private(set) var isClosed = false
  private(set) var isFinished = false

  private let limitBytes: Int
  private var pending: [UInt8] = []
  private var reopenRequested = false

  init(limitBytes: Int) {
    self.limitBytes = limitBytes
  }

  /// Queues a line, or counts the reason for dropping it.
  ///
  /// - Returns: Whether the thread has to be woken: it waits only while the queue is empty.
  mutating func append(_ line: [UInt8]) -> Bool {
    if isClosed {
      statistics.droppedClosed += 1
      return false
    }
    if statistics.queuedBytes + line.count + 1 > limitBytes {
      statistics.droppedQueueFull += 1
      return false
    }
    let wasEmpty = pending.isEmpty
    pending += line
    pending.append(UInt8(ascii: "\n"))
    statistics.queuedBytes += line.count + 1
    acceptedLines += 1
    return wasEmpty
  }

  mutating func requestReopen() {
    reopenRequested = true
  }

  mutating func close() {
    isClosed = true
  }

  /// Returns the next work; nil for none.
  ///
  /// - Parameter spare: An empty buffer for the next lines, in exchange for the one with the present ones.
  mutating func takeWork(spare: [UInt8]) -> Work? {
    if pending.isEmpty && !reopenRequested { return isClosed ? .stop : nil }
    let lines = pending
    let reopen = reopenRequested
    pending = spare
    reopenRequested = false
    return .lines(lines, reopen: reopen)
  }

  /// Counts the outcome of lines that were taken.
  mutating func settle(written: Int, lost: Int, bytes: Int) {
    statistics.written += UInt64(written)
    statistics.droppedWriteError += UInt64(lost)
    statistics.queuedBytes -= bytes
    settledLines += UInt64(written + lost)
  }

  mutating func countReopen(succeeded: Bool) {
    if succeeded { statistics.reopens += 1 } else { statistics.reopenFailures += 1 }
  }

  mutating func finish() {
    isFinished = true
  }
}
