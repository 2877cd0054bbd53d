/// Lines on their way from their authors to the thread that writes. The state behind the sink's lock.
struct LogQueue: Sendable {
  /// What the thread has to do next.
  enum Work {
    /// Open the file again, and then write these lines.
    case lines([UInt8], reopen: Bool)
    /// Nothing more will come.
    case stop
  }

  /// A buffer that grew larger in a burst is given back to the system rather than kept.
  static let keptCapacityBytes = 256 * 1024

  private(set) var statistics = LogStatistics()
  /// Lines accepted since the beginning, and how many of them were written or lost since.
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

  /// Takes a line, or counts why not.
  ///
  /// - Returns: Whether the thread has to be woken: it waits only for an empty queue to change.
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

  /// What there is to do, nil if nothing.
  ///
  /// - Parameter spare: An empty buffer to fill next, in exchange for the one with the lines.
  mutating func takeWork(spare: [UInt8]) -> Work? {
    if pending.isEmpty && !reopenRequested { return isClosed ? .stop : nil }
    let lines = pending
    let reopen = reopenRequested
    pending = spare
    reopenRequested = false
    return .lines(lines, reopen: reopen)
  }

  /// Counts what became of lines that were taken.
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
