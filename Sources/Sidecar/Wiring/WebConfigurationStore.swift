internal import HTTPServer
internal import Logging
internal import Synchronization

/// The counts of readings of the web configuration, for the metrics.
struct WebConfigurationStatistics: Sendable, Equatable {
  /// The number of times that new contents were applied, including the first time.
  var reloads = 0
  /// The number of times that new contents could not be used.
  var reloadFailures = 0
  /// Whether the files' contents apply.
  var lastReloadSucceeded = true
}

/// Reads the web configuration again when it, or a certificate or key that it names, has changed. A configuration that
/// cannot be used changes nothing.
///
/// Confined to the main loop, except for the statistics, which any thread may read.
final class WebConfigurationStore {
  /// The requirements of the web listeners on their clients.
  private(set) var access: HTTPAccess

  private let file: String?
  private let logger: Logger
  /// The file and those that it names, with their contents at the last check.
  private var files: [FileSnapshot] = []
  private let published = PublishedStatistics()

  /// Reads the file; without one, every client may connect over plain HTTP.
  ///
  /// - Throws: ``SidecarStartError`` with all of its mistakes.
  init(file: String?, logger: Logger) throws(SidecarStartError) {
    self.file = file
    self.logger = logger
    access = HTTPAccess()
    guard let file else { return }
    let result = WebConfiguration.load(file: file)
    guard let configuration = result.configuration else {
      throw SidecarStartError(result.problems.map(\.description).joined(separator: "\n"))
    }
    files = result.files
    access = configuration.access
    published.change { $0.reloads = 1 }
    for problem in result.problems { logger.warning("Web configuration: \(problem)") }
  }

  /// Returns the counts so far, on any thread.
  var statistics: @Sendable () -> WebConfigurationStatistics {
    { [published] in published.value }
  }

  /// The folders to watch for changes of the files. They can change with the files.
  var watchedFolders: [String] {
    files.flatMap { AtomicFile.watchedFolders(of: $0.path) }
  }

  /// Checks the files, and returns the listeners' requirements if they have changed.
  ///
  /// A certificate and its key are written one after the other: a mistake that is found directly after a file event
  /// counts only if the next check finds it too.
  ///
  /// - Parameter reason: The reason for the log, such as "file event" or "SIGHUP".
  func reload(reason: String) -> HTTPAccess? {
    guard let file, !files.allSatisfy(\.isCurrent) else { return nil }
    let result = WebConfiguration.load(file: file)
    let metadata: Logger.Metadata = ["path": "\(file)", "reason": "\(reason)"]
    guard let configuration = result.configuration else {
      guard reason != FileWatch.eventReason else { return nil }
      files = result.files
      fail(result.problems.filter { !$0.isWarning }.map(\.description), metadata)
      return nil
    }
    files = result.files
    guard (configuration.tls == nil) == (access.tls == nil) else {
      let change = access.tls == nil ? "added" : "removed"
      fail(["\(file): tls_server_config has been \(change), which needs a restart"], metadata)
      return nil
    }
    for problem in result.problems { logger.warning("Web configuration: \(problem)", metadata: metadata) }
    published.change { statistics in
      statistics.reloads += 1
      statistics.lastReloadSucceeded = true
    }
    logger.notice("Web configuration taken over", metadata: metadata)
    access = configuration.access
    return access
  }

  private func fail(_ problems: [String], _ metadata: Logger.Metadata) {
    published.change { statistics in
      statistics.reloadFailures += 1
      statistics.lastReloadSucceeded = false
    }
    var metadata = metadata
    metadata["problem"] = "\(problems.joined(separator: "; "))"
    logger.error("Web configuration is not usable; the last good one stays in force", metadata: metadata)
  }
}

/// Statistics that one thread writes and others read.
private final class PublishedStatistics: Sendable {
  private let statistics = Mutex(WebConfigurationStatistics())

  var value: WebConfigurationStatistics { statistics.withLock { $0 } }

  func change(_ body: (inout WebConfigurationStatistics) -> Void) {
    statistics.withLock { body(&$0) }
  }
}
