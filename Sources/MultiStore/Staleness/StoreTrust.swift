/// Whether a store's values are current, except for the keys that are known to be stale. It matters for the store that
/// is not the default one: the default store's values are authoritative by definition.
public enum StoreTrust: Equatable, Sendable {
  /// All keys that are outdated there are known.
  case trusted
  /// Unknown keys may be outdated, since this time in milliseconds since 1970.
  case lost(TrustLoss, sinceMilliseconds: Int64)

  /// Whether it is trusted.
  public var isTrusted: Bool { self == .trusted }

  /// The reason why it is not trusted; nil if it is.
  public var loss: TrustLoss? { if case .lost(let loss, _) = self { loss } else { nil } }
}

/// The reason why a store is not trusted. Raw values appear in files, metrics and logs.
public enum TrustLoss: String, CaseIterable, Sendable {
  /// The process ended without finishing or recording everything in flight, while writes had to reach both stores.
  case uncleanStop = "unclean_stop"
  /// The store came back as another process, and has keys: perhaps those of an older snapshot.
  case anotherProcess = "another_process"
  /// More keys are stale than are remembered.
  case overflow
  /// The default store was emptied, and this store was not.
  case flushNotCopied = "flush_not_copied"
  /// The file with the stale keys was damaged.
  case stateDamaged = "state_damaged"
  /// The configuration names other stores than those whose outdated keys are known.
  case otherStores = "other_stores"
  /// The default store moved to a store that was not trusted, so that the two differ in unknown keys.
  case forcedMove = "forced_move"

  /// The reason as a part of a sentence that begins with "not trusted because".
  public var explanation: String {
    switch self {
    case .uncleanStop: "the sidecar was not stopped cleanly while writes had to reach both stores"
    case .anotherProcess: "it came back as another process with keys in it"
    case .overflow: "more keys are stale than are remembered"
    case .flushNotCopied: "the default store was emptied and this one was not"
    case .stateDamaged: "the file with the stale keys was damaged"
    case .otherStores: "the configuration names other stores than before, and what is outdated on these is not known"
    case .forcedMove: "the default store moved to a store that was not trusted"
    }
  }
}
