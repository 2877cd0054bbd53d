/// One key whose value on a store is outdated.
public struct StaleKey: Equatable, Sendable {
  /// The key's name.
  public let key: [UInt8]
  /// The database that it is in, by the number of the old store.
  public let database: Int
  /// The time at which it became stale, in milliseconds since 1970.
  public let sinceMilliseconds: Int64
  /// The reason, by the last write that failed.
  public let reason: StaleReason

  /// A stale key made of its parts.
  public init(key: [UInt8], database: Int, sinceMilliseconds: Int64, reason: StaleReason) {
    self.key = key
    self.database = database
    self.sinceMilliseconds = sinceMilliseconds
    self.reason = reason
  }
}

extension StaleKey {
  /// Whether a key became stale before another, or has a name before the other's.
  static func isOlder(_ key: StaleKey, than other: StaleKey) -> Bool {
    key.sinceMilliseconds == other.sinceMilliseconds
      ? key.key.lexicographicallyPrecedes(other.key) : key.sinceMilliseconds < other.sinceMilliseconds
  }
}

/// The reason why a key is stale on a store. Raw values appear in files, listings and logs.
public enum StaleReason: String, CaseIterable, Sendable {
  /// The store answered the write with an error.
  case errorReply = "error_reply"
  /// There was no connection to send the write on.
  case unavailable
  /// The connection broke before the reply.
  case lost
  /// The store did not reply in time.
  case timeout
  /// The store's queue was full.
  case queueFull = "queue_full"
  /// It is not known whether the default store executed the write, which no client was told of.
  case defaultUnknown = "default_unknown"
  /// The default store moved to the other one while a write was in flight, which this store may have executed alone. It
  /// lacks no write, so its value counts where the other store has none.
  case mayHaveMore = "may_have_more"
  /// The write is executed by the default store alone, since repeating it could give another result.
  case uncopied
  /// Dual write was off after it had been on, and the default store alone got the write.
  case dualWriteOff = "dual_write_off"
  /// The operator accepted the default store's value, which was outdated.
  case accepted
  /// The process stopped before the key was compared.
  case unchecked
  /// The key was compared and differed, and no failure is known.
  case difference

  /// Whether no client knows of the write that the store may lack, or have too many: its value counts where the other
  /// store has none, since the write may as well not have been executed.
  var isUnacknowledged: Bool { self == .defaultUnknown || self == .mayHaveMore }

  init(_ reason: CopyFailureReason) {
    self =
      switch reason {
      case .errorReply: .errorReply
      case .unavailable: .unavailable
      case .lost: .lost
      case .timeout: .timeout
      case .queueFull: .queueFull
      case .defaultUnknown: .defaultUnknown
      }
  }
}
