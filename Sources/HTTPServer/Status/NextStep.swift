/// What would come next in a migration, and whether it is safe: every criterion with what was measured.
public struct NextStep: Sendable, Hashable {
  /// The steps of a migration, each named by what it turns on or off.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// From the old store alone to writes on both.
    case dualWriteOn = "dual_write_on"
    /// The new store becomes the one that counts.
    case defaultOn = "default_on"
    /// The old store is let go.
    case dualWriteOff = "dual_write_off"
    /// The old store is taken out of the configuration.
    case removeOldStore = "remove_old_store"

    /// What to do, as part of a sentence.
    public var title: String {
      switch self {
      case .dualWriteOn: "turn dual writes on"
      case .defaultOn: "make the new store the default"
      case .dualWriteOff: "turn dual writes off"
      case .removeOldStore: "remove the old store"
      }
    }

    /// What changes with it, and whether there is a way back.
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
    /// One is not.
    case notYet = "not_yet"
    /// None is known not to be met, and one is not known.
    case unknown
  }

  /// The step.
  public var kind: Kind
  /// What it depends on, in the order of a runbook.
  public var criteria: [Criterion]
  /// What to type for it.
  public var command: String

  /// A step.
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

/// One thing that a step depends on.
public struct Criterion: Sendable, Hashable {
  /// What is looked at. Raw values are values of the label `criterion`.
  public enum Name: String, Sendable, Hashable, CaseIterable {
    /// The two stores are not one.
    case differentServers = "different_servers"
    /// The stores that are needed are up and answer.
    case storesUp = "stores_up"
    /// No command was neither a known read nor a known write.
    case methodMissing = "method_missing"
    /// The new store has no keys from earlier.
    case newStoreEmpty = "new_store_empty"
    /// What the default store executed got to the other one.
    case copyFailures = "copy_failures"
    /// No key is known to be old on a store.
    case staleKeys = "stale_keys"
    /// The stores' replies agree more and more.
    case diffs
    /// Reads do not need the old store.
    case fallbackRatio = "fallback_ratio"
    /// Both were written for as long as keys live.
    case warmUp = "warm_up"
    /// What never expires is on the new store.
    case keysWithoutTTL = "keys_without_ttl"
    /// The new store has as many keys as the old one.
    case keyCounts = "key_counts"
    /// Nothing goes to the old store any more.
    case oldStoreIdle = "old_store_idle"
    /// The present state has lasted.
    case soak

    /// What is looked at, for a person.
    public var title: String {
      switch self {
      case .differentServers: "Two different servers"
      case .storesUp: "Stores up"
      case .methodMissing: "Every command known"
      case .newStoreEmpty: "New store empty"
      case .copyFailures: "Copies arrive"
      case .staleKeys: "No stale keys"
      case .diffs: "Differences not growing"
      case .fallbackRatio: "Fallback reads"
      case .warmUp: "Warmed up"
      case .keysWithoutTTL: "Keys without a time to live"
      case .keyCounts: "Number of keys"
      case .oldStoreIdle: "Old store idle"
      case .soak: "Time in this state"
      }
    }
  }

  /// Whether it is so.
  public enum Result: String, Sendable, Hashable {
    /// It is so.
    case met
    /// It is not so.
    case notMet = "not_met"
    /// That can't be told yet.
    case unknown
  }

  /// What is looked at.
  public var name: Name
  /// Whether it is so.
  public var result: Result
  /// What was found.
  public var measured: String
  /// What was wanted.
  public var threshold: String
  /// What to do as long as it is not so.
  public var advice: String

  /// A criterion.
  public init(_ name: Name, _ result: Result, measured: String, threshold: String, advice: String) {
    self.name = name
    self.result = result
    self.measured = measured
    self.threshold = threshold
    self.advice = advice
  }
}
