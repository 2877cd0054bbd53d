/// What became of the lines that a sink was given. Counts since it was opened.
public struct LogStatistics: Sendable, Equatable {
  /// Lines written whole.
  public var written: UInt64 = 0
  /// Lines left out because the queue was full: whoever reads the log, or the disk, does not keep up.
  public var droppedQueueFull: UInt64 = 0
  /// Lines lost to a failed write: a full disk, a closed pipe.
  public var droppedWriteError: UInt64 = 0
  /// Lines that came after the sink was closed.
  public var droppedClosed: UInt64 = 0
  /// How often the file was opened anew.
  public var reopens: UInt64 = 0
  /// How often opening it anew failed, the old file staying in use.
  public var reopenFailures: UInt64 = 0
  /// Bytes accepted and not yet written or lost.
  public var queuedBytes: Int = 0

  /// Nothing has happened yet.
  public init() {}
}
