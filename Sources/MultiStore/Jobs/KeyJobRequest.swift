/// The kinds of jobs on whole keys. Raw values appear in paths, metrics, files and reports.
public enum KeyJobKind: String, CaseIterable, Sendable {
  /// Copies every key that the default store has and the other one lacks.
  case backfill
  /// Compares every key of both stores.
  case verify
}

/// A job as an operator asks for it.
public struct KeyJobRequest: Sendable, Equatable {
  /// The limits on a job's rate, in keys per second.
  public static let rates = 1...1_000_000
  /// The limits on the number of looks at a key that differs.
  public static let roundLimits = 2...100
  /// The limits on the keys of each kind that a report names.
  public static let findingLimits = 0...10_000
  /// The longest pattern, in bytes.
  public static let longestPattern = 1_024
  /// The types of keys that servers know.
  public static let types = ["string", "list", "set", "zset", "hash", "stream"]

  /// The kind of job.
  public var kind: KeyJobKind
  /// Only keys that match this pattern, as SCAN has it; nil for all.
  public var pattern: String?
  /// Only keys of this type; nil for all. One of ``types``.
  public var type: String?
  /// The most keys per second, within ``rates``.
  public var rate = 5_000
  /// Whether a backfill only counts the keys that it would copy.
  public var isDryRun = false
  /// The most looks at a key that differs, or that changes, within ``roundLimits``.
  public var rounds = 5
  /// Whether a verification has the differences mended.
  public var heals = false
  /// The keys of each kind that the report names, within ``findingLimits``.
  public var findingLimit = 100

  /// A job for all keys, with the defaults.
  public init(_ kind: KeyJobKind) {
    self.kind = kind
  }

  /// Whether it changes the other store.
  var writes: Bool { kind == .backfill ? !isDryRun : heals }
}

/// A change of a running job.
public enum KeyJobChange: Sendable, Equatable {
  case pause
  case resume
  case cancel
  /// Another rate, in keys per second, within ``KeyJobRequest/rates``.
  case rate(Int)
}

/// The reason why a job does not start, or does not change. Its text is the end of a sentence.
public enum KeyJobRefusal: Error, Sendable, Equatable {
  /// The instance has no primary store.
  case passThrough
  /// Both stores are the same server and database.
  case sameStore
  /// Without dual write there is no order in which keys can be copied.
  case dualWriteOff
  /// Keys are not copied in the background, by the configuration.
  case noKeyWork
  /// Another job has not ended.
  case busy(KeyJobKind)
  /// There is no job of this kind that has not ended.
  case notRunning(KeyJobKind)
  /// The job is in another state than the change is for.
  case notPaused
  case alreadyPaused
}
