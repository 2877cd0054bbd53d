/// The counts of a sink's lines by their outcome, since it was opened.
public struct LogStatistics: Sendable, Equatable {
  /// Lines written completely.
  public var written: UInt64 = 0
  /// Lines dropped because the queue was full: the disk or the log's reader does not keep up.
  public var droppedQueueFull: UInt64 = 0
  /// Lines lost to a failed write: a full disk, a closed pipe.
  public var droppedWriteError: UInt64 = 0
  /// Lines that were logged after the sink was closed.
  public var droppedClosed: UInt64 = 0
  /// The number of times that the file was reopened.
  public var reopens: UInt64 = 0
  /// The number of times that reopening failed, so that the old file stayed in use.
  public var reopenFailures: UInt64 = 0
  /// Bytes accepted and not yet written or lost.
  public var queuedBytes: Int = 0

  /// Creates counts of zero.
  public init() {}
}
