internal import Glibc
public import Logging
internal import Threads

/// Keeps an instance's stale keys in a file, so that the next process knows them. The file is appended to, and
/// rewritten when it has grown too large for what is live in it.
///
/// ``append(_:)`` never blocks: changes are put into a bounded queue, from which a thread writes them. A process that
/// is killed loses the changes of the last moment, which makes its stop an unclean one. A folder that can't be written
/// is logged and counted, and affects no client. Any thread.
public final class StalenessJournal: StalenessRecorder, Sendable {
  private let queue: Monitor<JournalQueue>

  private init(queue: Monitor<JournalQueue>) {
    self.queue = queue
  }

  /// Makes the thread write what is queued and end, without waiting for it.
  deinit {
    requestClose()
  }

  /// Opens the journal of an instance, which blocks on the disk.
  ///
  /// - Parameters:
  ///   - instance: the name of the instance, with which the file's name begins.
  ///   - stores: the instance's stores, each by its address and database, which may be others than those of the file.
  ///   - folder: the folder of the file; created for this user alone if it is missing.
  ///   - logger: where problems are logged.
  /// - Returns: the knowledge of the last process, and the recorder of changes from now on.
  public static func open(
    instance: String,
    stores: [StoreRole: String],
    in folder: String,
    logger: Logger
  ) -> (snapshot: StalenessSnapshot, journal: StalenessJournal) {
    var storage = JournalStorage(folder: folder, instance: instance)
    let log = JournalLog(logger: logger, instance: instance, folder: folder, path: storage.path)
    let now = Int64(time(nil))
    var state = JournalState()
    var isDamaged = false
    var failure: JournalFailure?
    do throws(JournalFailure) {
      switch try storage.read().map(JournalFormat.parse) {
      case nil: break
      case .success(let found): state = found
      case .failure(let damage):
        isDamaged = true
        log.damaged(because: damage.explanation, aside: try? storage.putAside(at: Int(now)))
      }
    } catch {
      isDamaged = !error.isHeldElsewhere && storage.mayHaveFile
      let aside = isDamaged ? try? storage.putAside(at: Int(now)) : nil
      if isDamaged { log.damaged(because: "\(error)", aside: aside) }
      if aside == nil { failure = error }
    }
    let adoption = state.adopt(stores, now: now * 1000)
    log.adopted(adoption)
    var snapshot = state.snapshot
    snapshot.isDamaged = isDamaged
    snapshot.isOfOtherAddresses = adoption != .sameStores
    state.begin()
    if isDamaged { state.distrustAll(now: now * 1000) }
    let queue = Monitor(JournalQueue())
    let writer = JournalWriter(queue: queue, storage: storage, state: state, log: log)
    writer.begin(after: failure)
    do throws(SystemError) {
      try writer.start()
    } catch {
      log.cannotBegin(JournalFailure(.startThread, storage.path, error))
      queue.withLock { $0.abandon() }
    }
    return (snapshot, StalenessJournal(queue: queue))
  }

  /// Logs which files of a folder belong to none of the instances, which may have been renamed.
  public static func reportUnusedFiles(in folder: String, instances: [String], logger: Logger) {
    for name in JournalStorage.unusedFiles(in: folder, instances: instances) {
      logger.warning(
        "A file of stale keys belongs to no instance: what it knows is not used",
        metadata: [
          "state_file": "\(folder)/\(name)",
          "hint": "if the instance was renamed, stop the sidecar and give the file its name; else delete the file",
        ]
      )
    }
  }

  /// Returns the reason why no file can be kept in a folder, checked without creating one; nil if none was found.
  public static func problem(withFolder folder: String) -> String? {
    JournalStorage(folder: folder, instance: "").folderProblem.map { "\($0)" }
  }

  /// Queues a change to be written.
  public func append(_ change: StalenessChange) {
    if queue.withLock({ $0.append(change) }) { queue.wakeAll() }
  }

  /// Waits until all changes so far are written, or have failed to be.
  ///
  /// - Parameter deadline: the longest time to wait.
  /// - Returns: whether that was in time.
  @discardableResult
  public func waitUntilWritten(deadline: Duration) -> Bool {
    let count = queue.withLock { $0.appended }
    return queue.wait(atMost: deadline) { $0.written >= count || $0.isFinished ? true : nil } ?? false
  }

  /// Takes no more changes, waits until the queued ones are written, and closes the file.
  ///
  /// If that takes longer, because the disk hangs, the thread is left waiting.
  ///
  /// - Parameter deadline: the longest time to wait.
  /// - Returns: whether the changes were written, or have failed to be, in time.
  @discardableResult
  public func close(deadline: Duration) -> Bool {
    requestClose()
    return queue.wait(atMost: deadline) { $0.isFinished ? true : nil } ?? false
  }

  /// The state of the file, and counts since it was opened.
  public var statistics: StalenessJournalStatistics { queue.withLock { $0.statistics } }

  private func requestClose() {
    queue.withLock { $0.close() }
    queue.wakeAll()
  }
}
