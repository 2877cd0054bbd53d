/// Changes that wait for the writer thread. The state behind the journal's lock.
struct JournalQueue: Sendable {
  /// The next work of the thread.
  enum Work {
    /// Write these changes, after which there is a gap if some were dropped.
    case write([StalenessChange], hasGap: Bool)
    /// End: no more changes follow.
    case stop
  }

  /// The most bytes of queued changes, those being written not counted: one change for each of the commands that a
  /// store's connection may lose at once (`max_queued_commands`), with keys of usual length. The file takes them within
  /// a moment, unless the disk hangs.
  static let limitBytes = 16 << 20
  /// The memory that a change takes besides its key's name, which others retain as well.
  private static let changeBytes = 64

  private(set) var statistics = StalenessJournalStatistics()
  private(set) var isFinished = false
  private var isClosed = false
  private var pending: [StalenessChange] = []
  private var pendingBytes = 0
  private var hasGap = false
  /// The number of changes that were queued or dropped.
  private(set) var appended: UInt64 = 0
  /// The number of those that the thread has taken.
  private var taken: UInt64 = 0
  /// The number of those that are written, or whose writing has failed.
  private(set) var written: UInt64 = 0
  private let limitBytes: Int

  init(limitBytes: Int = Self.limitBytes) {
    self.limitBytes = limitBytes
  }

  /// Queues a change. One that concerns a single key is dropped and counted if the queue is full; there are few others.
  ///
  /// - Returns: whether the thread has to be woken: it waits only while nothing is pending.
  mutating func append(_ change: StalenessChange) -> Bool {
    guard !isClosed else {
      statistics.droppedChanges += 1
      return false
    }
    appended += 1
    let bytes = Self.changeBytes + (change.key?.count ?? 0)
    let wasIdle = pending.isEmpty && !hasGap
    if change.key != nil, pendingBytes + bytes > limitBytes {
      statistics.droppedChanges += 1
      hasGap = true
      return wasIdle
    }
    pending.append(change)
    pendingBytes += bytes
    return wasIdle
  }

  /// Takes no more changes.
  mutating func close() {
    isClosed = true
  }

  /// Returns the next work; nil for none.
  mutating func takeWork() -> Work? {
    guard !pending.isEmpty || hasGap else { return isClosed ? .stop : nil }
    defer { (pending, pendingBytes, hasGap) = ([], 0, false) }
    taken = appended
    return .write(pending, hasGap: hasGap)
  }

  /// Publishes the state of the file.
  mutating func publish(isUsable: Bool, fileBytes: Int, writeFailures: UInt64) {
    statistics.isUsable = isUsable
    statistics.fileBytes = fileBytes
    statistics.writeFailures = writeFailures
    written = taken
  }

  /// Notes that the thread has ended.
  mutating func finish() {
    isFinished = true
  }

  /// Closes the queue for good, since there is no thread.
  mutating func abandon() {
    isClosed = true
    isFinished = true
    statistics.isUsable = false
  }
}

extension StalenessChange {
  /// The name of the key that it concerns; nil if it concerns no single one.
  fileprivate var key: [UInt8]? {
    switch self {
    case .marked(_, let key): key.key
    case .cleared(_, _, let key): key
    case .clearedAll, .trust, .identified, .routing, .job, .verified, .stopped: nil
    }
  }

  /// Whether it has to survive a power failure: without it, keys that are missing in the file would be trusted.
  var mustReachDisk: Bool {
    switch self {
    case .routing, .stopped: true
    case .marked, .cleared, .clearedAll, .trust, .identified, .job, .verified: false
    }
  }
}

/// The state of a journal, for metrics.
public struct StalenessJournalStatistics: Sendable, Equatable {
  /// Whether changes reach the file.
  public var isUsable = false
  /// The size of the file; 0 if there is none.
  public var fileBytes = 0
  /// The number of failed writes of the file.
  public var writeFailures: UInt64 = 0
  /// The number of changes that were not kept, because the disk was slower than the stores for too long.
  public var droppedChanges: UInt64 = 0
}
