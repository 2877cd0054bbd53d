internal import Threads

/// The destination of log lines: a writer thread behind a bounded queue.
///
/// Logging never blocks: a line is copied into the queue, or dropped and counted if the queue is full. Any thread.
public final class JSONLogSink: Sendable {
  /// The places that lines can be written to.
  public enum Destination: Sendable, Equatable {
    /// The process' standard error.
    case standardError
    /// A file, which is appended to, and created with mode 0640 if it does not exist.
    case file(path: String)
  }

  private let queue: Monitor<LogQueue>

  /// Opens the destination and starts the thread.
  ///
  /// - Parameters:
  ///   - destination: The place that lines are written to.
  ///   - queueLimitBytes: The number of bytes that may wait to be written; at least 1.
  /// - Throws: ``JSONLogError`` if the file cannot be opened or the thread cannot be started.
  public init(destination: Destination, queueLimitBytes: Int) throws(JSONLogError) {
    precondition(queueLimitBytes >= 1, "The log's queue takes at least a byte; \(queueLimitBytes) was asked for.")
    queue = Monitor(LogQueue(limitBytes: queueLimitBytes))
    let path: String? =
      switch destination {
      case .standardError: nil
      case .file(let path): path
      }
    try LogWriter(queue: queue, path: path).start()
  }

  /// Makes the thread write the queued lines and end, without waiting for it.
  deinit {
    requestClose()
  }

  /// Queues a line, given without its line end. Line feeds inside it become spaces: readers of the log take each line
  /// for one event.
  public func write(line: [UInt8]) {
    let newline = UInt8(ascii: "\n")
    let line = line.contains(newline) ? line.map { $0 == newline ? UInt8(ascii: " ") : $0 } : line
    if queue.withLock({ $0.append(line) }) { queue.wakeAll() }
  }

  /// Reopens the file by its path before anything else is written, as after a rotation (SIGHUP).
  ///
  /// If that fails, the file that is open stays in use, the failure is counted, and the first in a row is reported on
  /// standard error. Standard error itself is not reopened.
  public func reopen() {
    queue.withLock { $0.requestReopen() }
    queue.wakeAll()
  }

  /// Waits until the lines queued before the call are written or lost; tests use it.
  ///
  /// - Parameter deadline: The longest time to wait.
  /// - Returns: Whether they were in time.
  @discardableResult
  package func flush(deadline: Duration) -> Bool {
    let target = queue.withLock { $0.acceptedLines }
    return queue.wait(atMost: deadline) { $0.settledLines >= target ? true : nil } ?? false
  }

  /// Accepts no more lines, waits until the queued ones are written or lost, and closes the file.
  ///
  /// If that takes longer, because the disk hangs or the pipe is not read, the thread is left waiting.
  ///
  /// - Parameter deadline: The longest time to wait.
  /// - Returns: Whether the queue was written in time.
  @discardableResult
  public func close(deadline: Duration) -> Bool {
    requestClose()
    return queue.wait(atMost: deadline) { $0.isFinished ? true : nil } ?? false
  }

  /// The counts of lines so far.
  public var statistics: LogStatistics {
    queue.withLock { $0.statistics }
  }

  private func requestClose() {
    queue.withLock { $0.close() }
    queue.wakeAll()
  }
}
