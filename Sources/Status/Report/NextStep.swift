/// The next step of a migration and its criteria, each with its measurement. It is safe when all criteria are met.
public struct NextStep: Sendable, Hashable {
  /// The steps of a migration, each named by what it turns on or off.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// From the old store alone to writes on both.
    case dualWriteOn = "dual_write_on"
    /// The new store becomes the default.
    case defaultOn = "default_on"
    /// The old store gets no commands any more.
    case dualWriteOff = "dual_write_off"
    /// The old store is taken out of the configuration.
    case removeOldStore = "remove_old_store"

    /// The action, as part of a sentence.
    public var title: String {
      switch self {
      case .dualWriteOn: "turn dual writes on"
      case .defaultOn: "make the new store the default"
      case .dualWriteOff: "turn dual writes off"
      case .removeOldStore: "remove the old store"
      }
    }

    /// The effect of the step, and whether it can be taken back.
    public var consequence: String {
      switch self {
      case .dualWriteOn:
        "Writes go to both stores from then on. The way back is to turn it off again."
      case .defaultOn:
        "Clients get the new store's replies from then on. The old one still gets every write, so the way back is to "
          + "turn it off again."
      case .dualWriteOff:
        "The old store gets nothing any more. There is no way back without losing what is written from then on."
      case .removeOldStore:
        "In the configuration make the new store the secondary, take the primary out, and take both flags out of the "
          + "flag file; then check it and restart the sidecar."
      }
    }
  }

  /// Whether a step is safe.
  public enum Answer: String, Sendable, Hashable {
    /// Every criterion is met.
    case yes
    /// At least one criterion is not met.
    case notYet = "not_yet"
    /// No criterion is known not to be met, and at least one is unknown.
    case unknown
  }

  /// The step.
  public var kind: Kind
  /// The criteria, in the order of the runbook.
  public var criteria: [Criterion]
  /// The command line that takes the step.
  public var command: String

  /// Creates a step.
  public init(kind: Kind, criteria: [Criterion], command: String) {
    self.kind = kind
    self.criteria = criteria
    self.command = command
  }

  /// Whether it is safe.
  public var answer: Answer {
    if criteria.contains(where: { $0.result == .notMet }) { return .notYet }
    return criteria.allSatisfy { $0.result == .met } ? .yes : .unknown
  }
}

/// One condition of a step.
public struct Criterion: Sendable, Hashable {
  /// The conditions. Raw values are values of the label `criterion`.
  public enum Name: String, Sendable, Hashable, CaseIterable {
    /// The two stores are different servers or databases.
    case differentServers = "different_servers"
    /// The stores that are needed are up and answer.
    case storesUp = "stores_up"
    /// Every command was a known read or a known write.
    case methodMissing = "method_missing"
    /// The new store has no keys from earlier.
    case newStoreEmpty = "new_store_empty"
    /// All keys that are outdated on the store that is not the default are known.
    case trusted
    /// Writes of the default store reached the other one.
    case copyFailures = "copy_failures"
    /// No key is known to be stale on a store.
    case staleKeys = "stale_keys"
    /// The share of differing replies is small and does not grow.
    case diffs
    /// Reads do not need the old store.
    case fallbackRatio = "fallback_ratio"
    /// Dual writes have lasted for the keys' time to live.
    case warmUp = "warm_up"
    /// Keys that never expire are on the new store.
    case keysWithoutTTL = "keys_without_ttl"
    /// The new store has as many keys as the old one.
    case keyCounts = "key_counts"
    /// A backfill has copied the keys that are not written, or a verification has found that they are there.
    case backfilled
    /// A verification has found both stores equal.
    case verified
    /// No command goes to the old store any more.
    case oldStoreIdle = "old_store_idle"
    /// The present state has lasted long enough.
    case soak

    /// The criterion's title.
    public var title: String {
      switch self {
      case .differentServers: "Two different servers"
      case .storesUp: "Stores up"
      case .methodMissing: "Every command known"
      case .newStoreEmpty: "New store empty"
      case .trusted: "Other store trusted"
      case .copyFailures: "Copies arrive"
      case .staleKeys: "No stale keys"
      case .diffs: "Differences not growing"
      case .fallbackRatio: "Fallback reads"
      case .warmUp: "Warmed up"
      case .keysWithoutTTL: "Keys without a time to live"
      case .keyCounts: "Number of keys"
      case .backfilled: "Backfilled"
      case .verified: "Verified"
      case .oldStoreIdle: "Old store idle"
      case .soak: "Time in this state"
      }
    }
  }

  /// The result of a criterion.
  public enum Result: String, Sendable, Hashable {
    /// The criterion is met.
    case met
    /// The criterion is not met.
    case notMet = "not_met"
    /// There are too few measurements.
    case unknown
  }

  /// The condition.
  public var name: Name
  /// Whether it is met.
  public var result: Result
  /// The measurement, as text.
  public var measured: String
  /// The wanted value, as text.
  public var threshold: String
  /// The action until it is met.
  public var advice: String

  /// Creates a criterion.
  public init(_ name: Name, _ result: Result, measured: String, threshold: String, advice: String) {
    self.name = name
    self.result = result
    self.measured = measured
    self.threshold = threshold
    self.advice = advice
  }
}
