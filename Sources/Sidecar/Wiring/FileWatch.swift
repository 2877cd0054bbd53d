internal import EventLoop
internal import Logging

/// Checks files when an event occurs in their folders, and every few seconds, since network file systems do not report
/// the writes of other machines. Confined to the main loop.
final class FileWatch {
  /// The reason of a check after an event, which more events may follow.
  static let eventReason = "file event"
  private static let pollInterval = Duration.seconds(5)

  private let loop: EventLoop
  private let subject: String
  private let logger: Logger
  private let folders: () -> [String]
  private let look: (String) -> Void
  private var watchers: [String: DirectoryWatcher] = [:]
  private var timer: LoopTimer?

  /// - Parameters:
  ///   - subject: The name of the files, for the log.
  ///   - folders: Returns the folders of the files; called again after each check, since links may have changed.
  ///   - look: Checks the files; gets the reason for the log.
  init(
    on loop: EventLoop,
    of subject: String,
    logger: Logger,
    folders: @escaping () -> [String],
    look: @escaping (_ reason: String) -> Void
  ) {
    self.loop = loop
    self.subject = subject
    self.logger = logger
    self.folders = folders
    self.look = look
    watchFolders()
    let timer = LoopTimer(on: loop) { [unowned self] in lookAgain(because: "poll") }
    timer.schedule(after: Self.pollInterval, repeating: Self.pollInterval)
    self.timer = timer
  }

  func close() {
    timer?.close()
    timer = nil
    watchers.values.forEach { $0.close() }
    watchers = [:]
  }

  private func lookAgain(because reason: String) {
    look(reason)
    watchFolders()
  }

  private func watchFolders() {
    let wanted = folders()
    for (path, watcher) in watchers where !wanted.contains(path) {
      watcher.close()
      watchers[path] = nil
    }
    for path in wanted where watchers[path] == nil {
      do {
        watchers[path] = try DirectoryWatcher(on: loop, path: path) { [unowned self] in
          lookAgain(because: Self.eventReason)
        }
      } catch {
        logger.warning(
          "Can't watch the folder of \(subject); it is looked at every \(Self.pollInterval) instead",
          metadata: ["path": "\(path)", "reason": "\(error)"]
        )
      }
    }
  }
}
