public import Hiredis

/// The moment at which a dual write is answered. Raw values are the words of configuration files, as in the other
/// settings.
public enum WriteAcknowledgement: String, Sendable, CaseIterable {
  /// When both stores have executed it, or failed.
  case both
  /// When the default store has replied. The copy is sent right after the answer.
  case defaultStore = "default_store"
}

/// The way in which the replies of a pipeline are compared.
public enum ReplyComparison: String, Sendable, CaseIterable {
  /// By what the command promises: sets and hashes without order, times within a tolerance, random replies not at all.
  case canonical
  /// Plain equality of the replies.
  case exact
}

/// The treatment of commands that are neither known reads nor known writes.
public enum UnlistedCommands: String, Sendable, CaseIterable {
  /// The default store executes it; it is counted and logged.
  case forward
  /// It is refused, counted and logged. For test environments.
  case reject
}

/// The way in which a script or a function reaches the other store.
public enum ScriptExecution: String, Sendable, CaseIterable {
  /// The default store executes it, and the keys that it names are copied whole.
  case copyKeys = "copy_keys"
  /// Both stores execute it, in order. One that would do something else on each of them is refused.
  case runOnBoth = "run_on_both"
}

/// The configuration of an instance.
public struct MultiStoreConfiguration: Sendable {
  /// One of the instance's stores.
  public struct Store: Sendable {
    /// The store's address and credentials.
    public var endpoint: StoreEndpoint
    /// The limits of each connection to it.
    public var limits: ConnectionLimits

    /// A store, with the default limits unless others are given.
    public init(endpoint: StoreEndpoint, limits: ConnectionLimits = ConnectionLimits()) {
      self.endpoint = endpoint
      self.limits = limits
    }
  }

  /// The instance's name: the label `instance_name` and the suffix of its flags.
  public var name: String
  /// The new Redis. Without one the instance is a plain pass-through to its secondary.
  public var primary: Store?
  /// The old Redis.
  public var secondary: Store
  /// The stores that reads use while the dual write flag is on.
  public var readPolicy = ReadPolicy.fallback
  /// The moment at which a dual write is answered.
  public var writeAcknowledgement = WriteAcknowledgement.both
  /// The longest time that the store that is not the default may take for a reply, and that a command may wait for a
  /// connection to it. After that the store is bypassed until it has answered for a while.
  public var otherStoreTimeout = Duration.seconds(1)
  /// The way in which the replies of a pipeline are compared.
  public var comparison = ReplyComparison.canonical
  /// Whether to compare a read in a pipeline or a transaction once more when its replies differed, and to count the
  /// remaining differences.
  public var recheckDiffs = false
  /// The treatment of commands that are neither known reads nor known writes.
  public var unlistedCommands = UnlistedCommands.forward
  /// The way in which scripts and functions reach the other store.
  public var scripts = ScriptExecution.copyKeys
  /// Whether to execute FLUSHDB and FLUSHALL, on both stores while dual writes are on. Otherwise they are refused,
  /// whatever the flags are, unless there is no primary: a migration that lost both stores has nothing to go back to.
  public var allowFlush = false
  /// Whether to put keys and values into events. They are often session tokens.
  public var logValues = false
  /// The most events of one class that are written per second; the rest are counted and named in the next one.
  public var eventsPerSecond = 10
  /// The most keys of one database that are remembered as stale on one store. Beyond it the store is not trusted.
  public var staleKeyLimit = 100_000
  /// The most stale keys on a store that the default store moves to without being forced.
  public var maxKeysAtFlip = 1_000
  /// The most keys per second that are compared on both stores once they have been quiet; 0 for none.
  public var settledChecksPerSecond = 1_000
  /// The time without a write after which a key is compared: longer than a copy takes.
  public var settledCheckDelay = Duration.seconds(2)
  /// Whether keys that differ then are copied again.
  public var healsSettledDifferences = true
  /// The most keys per second that are copied whole while no client waits for them. With 0, stale keys are not repaired
  /// in the background.
  public var keysPerSecond = 1_000
  /// The size in bytes of a key above which a backfill copies it alone, and names it in its report.
  public var largeKeyBytes = 8 << 20
  /// The most dedicated connections that sessions may hold for blocking commands and WATCH.
  public var dedicatedConnectionLimit = 1_000
  /// Whether to sample each store's number of keys, and the times to live of some of them, at intervals; see
  /// ``InstanceStatus/keyspace(of:)``.
  public var keyspaceSampling = true
  /// Whether to let clients choose other databases than the stores' own, with ``Instance/select(_:then:)``. A number
  /// then means the same database on both stores.
  public var servesOtherDatabases = false

  /// Whether differences are possible and are re-checked.
  var rechecksDiffs: Bool { recheckDiffs && primary != nil }

  /// Whether FLUSHDB and FLUSHALL are executed.
  var executesFlush: Bool { allowFlush || primary == nil }

  /// An instance with the documented defaults.
  public init(name: String, primary: Store?, secondary: Store) {
    self.name = name
    self.primary = primary
    self.secondary = secondary
  }

  /// The same instance with another database of both stores.
  func selecting(_ database: Int) -> MultiStoreConfiguration {
    var result = self
    result.secondary.endpoint.database = database
    result.primary?.endpoint.database = database
    return result
  }
}
