internal import EventLoop
internal import Logging

/// Looks at the flag file whenever something happens in its folder, and every few seconds besides: network file systems
/// tell nobody what others write. Confined to the main loop.
final class FlagFileWatch {
  private static let pollInterval = Duration.seconds(5)

  private let loop: EventLoop
  private let store: FeatureFlagStore
  private let logger: Logger
  private var watchers: [String: DirectoryWatcher] = [:]
  private var timer: LoopTimer?

  init(on loop: EventLoop, store: FeatureFlagStore, logger: Logger) {
    self.loop = loop
    self.store = store
    self.logger = logger
    guard store.filePath != nil else { return }
    watchDirectories()
    let timer = LoopTimer(on: loop) { [unowned self] in look(because: "poll") }
    timer.schedule(after: Self.pollInterval, repeating: Self.pollInterval)
    self.timer = timer
  }

  func close() {
    timer?.close()
    timer = nil
    watchers.values.forEach { $0.close() }
    watchers = [:]
  }

  private func look(because reason: String) {
    store.reload(reason: reason)
    watchDirectories()
  }

  /// Where a link leads can change with any event, and with it the folders to watch.
  private func watchDirectories() {
    let wanted = store.watchedDirectories
    for (path, watcher) in watchers where !wanted.contains(path) {
      watcher.close()
      watchers[path] = nil
    }
    for path in wanted where watchers[path] == nil {
      do {
        watchers[path] = try DirectoryWatcher(on: loop, path: path) { [unowned self] in look(because: "file event") }
      } catch {
        logger.warning(
          "Can't watch the feature flag file's folder; it is looked at every \(Self.pollInterval) instead",
          metadata: ["path": "\(path)", "reason": "\(error)"]
        )
      }
    }
  }
}
