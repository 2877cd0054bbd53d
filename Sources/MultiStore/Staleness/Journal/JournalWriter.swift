internal import Threads

/// The writer thread of a journal. It has its own state of all stale keys, so that the loop never has to list them; the
/// names share their memory with the loop's.
///
/// `@unchecked Sendable`: it is created on the thread that opens the journal and passed to the new one by ``start()``,
/// after which only the new thread has a reference.
final class JournalWriter: @unchecked Sendable {
  /// The condition of the file.
  private enum Condition {
    /// It has all changes.
    case usable
    /// A write failed. The file is rewritten with the first change after this time.
    case failed(retryAt: ContinuousClock.Instant)
    /// Another process uses it, so it is never written.
    case heldElsewhere
  }

  /// The pause after a failed write: a full disk rarely has room again sooner.
  private static let retryPause = Duration.seconds(5)
  /// The capacity of the buffer of records that is kept; one that grew larger in a burst is freed.
  private static let keptCapacityBytes = 256 << 10

  private let queue: Monitor<JournalQueue>
  private let log: JournalLog
  private var storage: JournalStorage
  private var state: JournalState
  private var condition = Condition.usable
  private var writeFailures: UInt64 = 0
  private var buffer: [UInt8] = []

  /// - Parameters:
  ///   - queue: the source of the changes.
  ///   - storage: the file that they are written to, which has been read.
  ///   - state: the knowledge at the start.
  init(queue: Monitor<JournalQueue>, storage: JournalStorage, state: JournalState, log: JournalLog) {
    self.queue = queue
    self.storage = storage
    self.state = state
    self.log = log
  }

  /// Rewrites the file before the thread starts, so that a stop that the last process noted is no longer in it.
  ///
  /// - Parameter failure: a known reason why this can't succeed; nil in the usual case.
  func begin(after failure: JournalFailure?) {
    do throws(JournalFailure) {
      if let failure { throw failure }
      try storage.replace(by: state)
    } catch {
      log.cannotBegin(error)
      fail(error)
    }
    publish()
  }

  /// Starts the thread, which retains the writer and ends when the queue is closed and empty.
  func start() throws(SystemError) {
    try DetachedThread.start { [self] in run() }
  }

  private func run() {
    while case .write(let changes, let hasGap)? = queue.wait(for: { $0.takeWork() }) {
      take(changes, hasGap: hasGap)
      write(mustReachDisk: changes.contains(where: \.mustReachDisk), isLast: state.wasStopped)
      publish()
      // Somebody may wait for it.
      queue.wakeAll()
      if buffer.capacity > Self.keptCapacityBytes { buffer = [] } else { buffer.removeAll(keepingCapacity: true) }
    }
    storage.close()
    queue.withLock { $0.finish() }
    queue.wakeAll()
  }

  private func take(_ changes: [StalenessChange], hasGap: Bool) {
    // The gap comes first, since the stop may be the last of the changes.
    if hasGap { take(.gap) }
    for change in changes { take(.change(change)) }
  }

  private func take(_ record: JournalRecord) {
    state.apply(record)
    if case .usable = condition { JournalFormat.append(record, to: &buffer) }
  }

  private func write(mustReachDisk: Bool, isLast: Bool) {
    do throws(JournalFailure) {
      switch condition {
      case .usable where !storage.isInPlace:
        log.wasRemoved()
        try storage.replace(by: state)
      case .usable:
        try storage.append(buffer)
        if state.shouldCompact(fileBytes: storage.fileBytes) {
          try storage.replace(by: state)
        } else if mustReachDisk {
          try storage.synchronize()
        }
      case .failed(let retryAt):
        guard isLast || ContinuousClock.now >= retryAt else { return }
        try storage.replace(by: state)
        condition = .usable
        log.recovered()
      case .heldElsewhere: return
      }
    } catch {
      if case .usable = condition { log.writeFailed(error) }
      fail(error)
    }
  }

  private func fail(_ failure: JournalFailure) {
    writeFailures += 1
    condition = failure.isHeldElsewhere ? .heldElsewhere : .failed(retryAt: .now + Self.retryPause)
  }

  private func publish() {
    let isUsable = if case .usable = condition { true } else { false }
    queue.withLock { $0.publish(isUsable: isUsable, fileBytes: storage.fileBytes, writeFailures: writeFailures) }
  }
}
