import Logging
import MultiStore
import Synchronization
import TestSupport

@testable import Sidecar

/// Short names for the flags of the instances `a` and `b`.
enum Name {
  static let dualA = "use_primary_and_secondary_stores_for_a"
  static let defaultA = "use_primary_store_as_default_for_a"
  static let dualB = "use_primary_and_secondary_stores_for_b"
  static let defaultB = "use_primary_store_as_default_for_b"
}

/// Keeps what is logged, one line for each event: level, message, and metadata sorted by key.
final class LogRecorder: Sendable {
  private let recorded = Mutex<[String]>([])

  /// What was logged since the last call.
  func take() -> [String] {
    recorded.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }

  /// A logger that writes here.
  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(recorder: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let recorder: LogRecorder
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      recorder.recorded.withLock { $0.append((["\(event.level): \(event.message)"] + fields).joined(separator: " | ")) }
    }
  }
}

/// A store of the flags of the instances `a` and `b`, with its file in a folder of its own.
struct FlagFixture {
  let folder: TemporaryDirectory
  let path: String
  let a = FeatureFlags(instanceName: "a")
  let b = FeatureFlags(instanceName: "b")
  let log = LogRecorder()
  let store: FeatureFlagStore

  /// Starts a store; the file is there beforehand unless `text` is nil.
  init(_ text: String?, folder: TemporaryDirectory? = nil, path: String? = nil) throws {
    self.folder = try folder ?? TemporaryDirectory()
    self.path = path ?? self.folder.path("flags.yml")
    if let text { try self.folder.write(text, to: "flags.yml") }
    store = try FeatureFlagStore(instances: [a, b], filePath: self.path, logger: log.logger, clock: { 1234.5 })
  }

  /// Saves the file as an operator would, and lets the store look at it.
  func save(_ text: String) throws {
    try folder.write(text, to: "flags.yml")
    store.reload(reason: "test")
  }

  /// What the file says.
  var text: String { get throws { try folder.read("flags.yml") } }

  /// The flags that are on.
  var on: [String] { store.features().filter(\.isOn).map(\.name) }
}
