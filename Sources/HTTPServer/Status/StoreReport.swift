/// One store of an instance in a ``StatusReport``.
public struct StoreReport: Sendable, Hashable {
  /// What is known of the keys in a store.
  public struct Keyspace: Sendable, Hashable {
    /// Keys in the database.
    public var keys: Double
    /// Those of them that have a time to live.
    public var expiringKeys: Double
    /// The server's estimate of how long those live on average, in seconds; nil while it has none.
    public var averageTTLSeconds: Double?
    /// The longest time to live that was found, in seconds; nil if none was.
    public var longestTTLSeconds: Double?

    /// What is known.
    public init(keys: Double, expiringKeys: Double, averageTTLSeconds: Double?, longestTTLSeconds: Double?) {
      self.keys = keys
      self.expiringKeys = expiringKeys
      self.averageTTLSeconds = averageTTLSeconds
      self.longestTTLSeconds = longestTTLSeconds
    }

    /// Keys that live for ever.
    public var persistentKeys: Double { max(0, keys - expiringKeys) }
  }

  /// What happened at a store within the window.
  public struct Troubles: Sendable, Hashable {
    /// Commands that it did not answer: no connection, lost, too late, or too many waiting.
    public var failedCommands: Double
    /// Commands that it answered with an error.
    public var errorReplies: Double
    /// Connections that failed or were lost.
    public var lostConnections: Double
    /// Writes of the default store that did not get here.
    public var failedCopies: Double

    /// What happened.
    public init(failedCommands: Double, errorReplies: Double, lostConnections: Double, failedCopies: Double) {
      self.failedCommands = failedCommands
      self.errorReplies = errorReplies
      self.lostConnections = lostConnections
      self.failedCopies = failedCopies
    }
  }

  /// True for the new store, the primary.
  public var isNew: Bool
  /// Whether clients get this store's replies.
  public var isDefault: Bool
  /// Where it is, without secrets.
  public var address: String
  /// The server's version, as it says itself; nil while it is not known.
  public var version: String?
  /// Why it can't be used; nil when it can.
  public var problem: String?
  /// The mean time to a reply over the last minute, in seconds; nil without a reply.
  public var meanLatencySeconds: Double?
  /// Commands in a second over the last minute; nil for a sidecar that is too young.
  public var commandsPerSecond: Double?
  /// Commands that wait for a reply.
  public var inFlight: Double
  /// What happened within the window.
  public var troubles: Troubles
  /// Keys whose last write to the store failed.
  public var staleKeys: Double
  /// More went stale than are remembered.
  public var staleKeysOverflowed: Bool
  /// Its keys; nil while nothing is known of them.
  public var keyspace: Keyspace?

  /// A store.
  public init(
    isNew: Bool,
    isDefault: Bool,
    address: String,
    version: String?,
    problem: String?,
    meanLatencySeconds: Double?,
    commandsPerSecond: Double?,
    inFlight: Double,
    troubles: Troubles,
    staleKeys: Double,
    staleKeysOverflowed: Bool,
    keyspace: Keyspace?
  ) {
    self.isNew = isNew
    self.isDefault = isDefault
    self.address = address
    self.version = version
    self.problem = problem
    self.meanLatencySeconds = meanLatencySeconds
    self.commandsPerSecond = commandsPerSecond
    self.inFlight = inFlight
    self.troubles = troubles
    self.staleKeys = staleKeys
    self.staleKeysOverflowed = staleKeysOverflowed
    self.keyspace = keyspace
  }

  /// The label `store`.
  var role: InstanceReport.Target { isNew ? .primary : .secondary }
}

/// The last minutes of an instance in a ``StatusReport``.
public struct HistoryReport: Sendable, Hashable {
  /// What happened within one interval.
  public struct Point: Sendable, Hashable {
    /// Reads that needed the old store, as a share of those that the new one was asked for; nil without any.
    public var fallbackRatio: Double?
    /// Pipelines and transactions that differed, as a share of those that were compared; nil without any.
    public var diffRatio: Double?
    /// Commands of clients in a second.
    public var commandsPerSecond: Double

    /// What happened.
    public init(fallbackRatio: Double?, diffRatio: Double?, commandsPerSecond: Double) {
      self.fallbackRatio = fallbackRatio
      self.diffRatio = diffRatio
      self.commandsPerSecond = commandsPerSecond
    }
  }

  /// What was counted in all of it.
  public struct Totals: Sendable, Hashable {
    /// Reads that the new store was asked for, with the old one as fallback.
    public var primaryReads: Double = 0
    /// Those of them that the old store had and the new one lacked.
    public var fallbackReads: Double = 0
    /// Those of them that neither had.
    public var trueMisses: Double = 0
    /// Pipelines and transactions that were compared.
    public var comparedPipelines: Double = 0
    /// Those of them that differed.
    public var differingPipelines: Double = 0
    /// Reads that differed still when they were asked once more.
    public var persistentDiffs: Double = 0
    /// Commands that are neither known reads nor known writes.
    public var methodsMissing: Double = 0

    /// Nothing was counted.
    public init() {}
  }

  /// How long one point is, in seconds.
  public var intervalSeconds: Double
  /// How many points a whole window has.
  public var capacity: Int
  /// The oldest first; fewer than ``capacity`` while the sidecar is young.
  public var points: [Point]
  /// What was counted in all of it.
  public var totals: Totals

  /// A history.
  public init(intervalSeconds: Double, capacity: Int, points: [Point], totals: Totals) {
    self.intervalSeconds = intervalSeconds
    self.capacity = capacity
    self.points = points
    self.totals = totals
  }
}
