/// Where log lines go: one writer thread behind a bounded queue.
///
/// Whoever logs is never made to wait: a line is copied into the queue, or dropped and counted if the queue is full.
/// All of it may be called from any thread.
public final class JSONLogSink: Sendable {
  /// Where the lines are written.
  public enum Destination: Sendable, Equatable {
    /// The process' standard error.
    case standardError
    /// A file, appended to, and made with mode 0640 if it is not there.
    case file(path: String)
  }

  private let queue: Monitor<LogQueue>

  /// Opens the destination and starts the thread.
  ///
  /// - Parameters:
  ///   - destination: Where the lines are written.
  ///   - queueLimitBytes: How many bytes may wait to be written; at least 1.
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

  /// Lets the thread write what is queued and end, without waiting for it.
  deinit {
    requestClose()
  }

  /// Queues a line, without its end. Line feeds inside it become spaces: a line is an event to whoever reads the log.
  public func write(line: [UInt8]) {
    let newline = UInt8(ascii: "\n")
    let line = line.contains(newline) ? line.map { $0 == newline ? UInt8(ascii: " ") : $0 } : line
    if queue.withLock({ $0.append(line) }) { queue.wakeAll() }
  }

  /// Has the file opened again under its path, as after a rotation (SIGHUP), before anything else is written.
  ///
  /// Should that fail, the file opened before stays in use, the failure is counted, and the first in a row is told on
  /// standard error. Standard error itself is not opened again.
  public func reopen() {
    queue.withLock { $0.requestReopen() }
    queue.wakeAll()
  }

  /// Waits until the lines queued before the call are written or lost.
  ///
  /// - Parameter deadline: How long at most, from now.
  /// - Returns: Whether they were in time.
  @discardableResult
  package func flush(deadline: Duration) -> Bool {
    let target = queue.withLock { $0.acceptedLines }
    return queue.wait(atMost: deadline) { $0.settledLines >= target ? true : nil } ?? false
  }

  /// Takes no more lines, waits until those that are queued are written or lost, and closes the file.
  ///
  /// If the time is up before, because the disk hangs or nobody reads the pipe, the thread is left behind to its
  /// waiting.
  ///
  /// - Parameter deadline: How long at most, from now.
  /// - Returns: Whether it was done in time.
  @discardableResult
  public func close(deadline: Duration) -> Bool {
    requestClose()
    return queue.wait(atMost: deadline) { $0.isFinished ? true : nil } ?? false
  }

  /// What became of the lines so far.
  public var statistics: LogStatistics {
    queue.withLock { $0.statistics }
  }

  private func requestClose() {
    queue.withLock { $0.close() }
    queue.wakeAll()
  }
}
