/// One store of an instance in a ``StatusReport``.
public struct StoreReport: Sendable, Hashable {
  /// The keys in a store.
  public struct Keyspace: Sendable, Hashable {
    /// The number of keys in the database.
    public var keys: Double
    /// The number of keys in other databases that clients may select.
    public var keysElsewhere: Double
    /// The number of keys that have a time to live.
    public var expiringKeys: Double
    /// The average time to live by the server's estimate, in seconds; nil while it has none.
    public var averageTTLSeconds: Double?
    /// The longest time to live that was found, in seconds; nil if none was.
    public var longestTTLSeconds: Double?

    /// Creates a keyspace.
    public init(
      keys: Double,
      keysElsewhere: Double = 0,
      expiringKeys: Double,
      averageTTLSeconds: Double?,
      longestTTLSeconds: Double?
    ) {
      self.keys = keys
      self.keysElsewhere = keysElsewhere
      self.expiringKeys = expiringKeys
      self.averageTTLSeconds = averageTTLSeconds
      self.longestTTLSeconds = longestTTLSeconds
    }

    /// The number of keys that never expire.
    public var persistentKeys: Double { max(0, keys - expiringKeys) }
  }

  /// Failures of a store within the window, as counts.
  public struct Troubles: Sendable, Hashable {
    /// Commands without a reply: no connection, connection lost, timeout, or a full queue.
    public var failedCommands: Double
    /// Commands answered with an error.
    public var errorReplies: Double
    /// Connections that failed or were lost.
    public var lostConnections: Double
    /// Writes of the default store that could not be copied to this one.
    public var failedCopies: Double

    /// Creates counts.
    public init(failedCommands: Double, errorReplies: Double, lostConnections: Double, failedCopies: Double) {
      self.failedCommands = failedCommands
      self.errorReplies = errorReplies
      self.lostConnections = lostConnections
      self.failedCopies = failedCopies
    }
  }

  /// The loss of trust in a store that is not the default.
  public struct Distrust: Sendable, Hashable {
    /// The reason, as metrics have it: `unclean_stop`.
    public var reason: String
    /// The reason as a part of a sentence that begins with "not trusted because".
    public var explanation: String
    /// The time of the loss, in milliseconds since 1970.
    public var sinceMilliseconds: Int64

    /// Creates a loss.
    public init(reason: String, explanation: String, sinceMilliseconds: Int64) {
      self.reason = reason
      self.explanation = explanation
      self.sinceMilliseconds = sinceMilliseconds
    }
  }

  /// Whether this is the new store, the primary.
  public var isNew: Bool
  /// Whether clients get this store's replies.
  public var isDefault: Bool
  /// The address, without secrets.
  public var address: String
  /// The version of TLS, or "TLS" before the first connection; nil for plain connections.
  public var encryption: String?
  /// The name under which sentinels watch the server; nil for a fixed address.
  public var sentinelMaster: String?
  /// The server's version by its own INFO; nil while it is not known.
  public var version: String?
  /// The reason why it is down; nil while it is up.
  public var problem: String?
  /// The mean time to a reply over the last minute, in seconds; nil without a reply.
  public var meanLatencySeconds: Double?
  /// Commands per second over the last minute; nil until a minute's figures exist.
  public var commandsPerSecond: Double?
  /// The number of commands in flight.
  public var inFlight: Double
  /// Failures within the window.
  public var troubles: Troubles
  /// The number of keys whose last write to the store failed.
  public var staleKeys: Double
  /// The age of the key that has been stale for longest, in seconds; nil if there is none.
  public var oldestStaleSeconds: Double?
  /// The reason why keys may be outdated that are not known; nil while all are known, and for the default store, whose
  /// values are the truth.
  public var distrust: Distrust?
  /// The store's keys; nil while nothing is known of them.
  public var keyspace: Keyspace?

  /// Creates a store's report.
  public init(
    isNew: Bool,
    isDefault: Bool,
    address: String,
    encryption: String? = nil,
    sentinelMaster: String? = nil,
    version: String?,
    problem: String?,
    meanLatencySeconds: Double?,
    commandsPerSecond: Double?,
    inFlight: Double,
    troubles: Troubles,
    staleKeys: Double,
    oldestStaleSeconds: Double?,
    distrust: Distrust?,
    keyspace: Keyspace?
  ) {
    self.isNew = isNew
    self.isDefault = isDefault
    self.address = address
    self.encryption = encryption
    self.sentinelMaster = sentinelMaster
    self.version = version
    self.problem = problem
    self.meanLatencySeconds = meanLatencySeconds
    self.commandsPerSecond = commandsPerSecond
    self.inFlight = inFlight
    self.troubles = troubles
    self.staleKeys = staleKeys
    self.oldestStaleSeconds = oldestStaleSeconds
    self.distrust = distrust
    self.keyspace = keyspace
  }

  /// The label `store`.
  var role: InstanceReport.Target { isNew ? .primary : .secondary }
}

/// The figures of an instance over the recent window.
public struct HistoryReport: Sendable, Hashable {
  /// The figures of one interval.
  public struct Point: Sendable, Hashable {
    /// Reads answered by the old store, as a share of the new store's reads; nil without reads.
    public var fallbackRatio: Double?
    /// Pipelines and transactions that differed, as a share of those compared; nil without any.
    public var diffRatio: Double?
    /// Clients' commands per second.
    public var commandsPerSecond: Double

    /// Creates a point.
    public init(fallbackRatio: Double?, diffRatio: Double?, commandsPerSecond: Double) {
      self.fallbackRatio = fallbackRatio
      self.diffRatio = diffRatio
      self.commandsPerSecond = commandsPerSecond
    }
  }

  /// The counts of the whole window.
  public struct Totals: Sendable, Hashable {
    /// Reads of the new store that could fall back to the old one.
    public var primaryReads: Double = 0
    /// Primary reads that the old store answered.
    public var fallbackReads: Double = 0
    /// Primary reads of keys that neither store had.
    public var trueMisses: Double = 0
    /// Pipelines and transactions that were compared.
    public var comparedPipelines: Double = 0
    /// Compared pipelines and transactions that differed.
    public var differingPipelines: Double = 0
    /// Reads that still differed when repeated.
    public var persistentDiffs: Double = 0
    /// Commands that are neither known reads nor known writes.
    public var methodsMissing: Double = 0

    /// Creates counts of zero.
    public init() {}
  }

  /// The length of one point, in seconds.
  public var intervalSeconds: Double
  /// The number of points in a full window.
  public var capacity: Int
  /// The points, oldest first; fewer than ``capacity`` until the first window is full.
  public var points: [Point]
  /// The counts of the whole window.
  public var totals: Totals

  /// Creates a history.
  public init(intervalSeconds: Double, capacity: Int, points: [Point], totals: Totals) {
    self.intervalSeconds = intervalSeconds
    self.capacity = capacity
    self.points = points
    self.totals = totals
  }
}
