public import MultiStore
public import Sockets

/// One instance: where clients connect, the two stores, and how commands are routed between them.
public struct InstanceConfiguration: Sendable, Equatable {
  /// What clients of an instance may use up at most.
  public struct Limits: Sendable, Equatable {
    /// Clients connected at once; further ones get an error and are closed.
    public var maxClients: Int
    /// After this long without a command a client is closed; nil means never.
    public var idleTimeout: Duration?
    /// The largest argument of a command, in bytes.
    public var maxBulkBytes: Int
    /// The most arguments of a command.
    public var maxArguments: Int
    /// Bytes of replies that may wait for a client that does not read, before it is closed.
    public var clientOutputBufferLimitBytes: Int
    /// Commands of one client that may wait for replies, before it is no longer read.
    public var maxPipelinedCommands: Int
    /// Connections to one store that clients have to themselves at once.
    public var maxDedicatedConnections: Int
    /// Keys remembered as stale on one store.
    public var maxStaleKeys: Int
    /// Events of one class that may be logged in a second; the rest is counted as suppressed.
    public var eventRateLimitPerSecond: Int
  }

  /// Somebody that clients can log in as.
  public struct User: Sendable, Equatable {
    /// What AUTH calls the user.
    public var name: String
    /// What AUTH has to say besides.
    public var password: Secret
  }

  /// Matches `[a-z][a-z0-9_]*`; suffix of the feature flags and value of the label `instance_name`.
  public var name: String
  /// Where clients connect; at least one address.
  public var listen: [SocketAddress]
  /// The new store; nil makes the instance a plain pass-through.
  public var primary: StoreConfiguration?
  /// The old store.
  public var secondary: StoreConfiguration
  /// Where reads go while the dual write flag is on.
  public var readPolicy: ReadPolicy
  /// When a dual write is answered.
  public var writeAcknowledgement: WriteAcknowledgement
  /// How long a reply of the store that is not the default may take.
  public var otherStoreTimeout: Duration
  /// What happens to commands that the command table does not know.
  public var unlistedCommands: UnlistedCommands
  /// How replies of both stores are compared.
  public var comparison: ReplyComparison
  /// Whether a read whose replies differed is compared once more.
  public var recheckDiffs: Bool
  /// Whether stores are asked how many keys they have and how long these live.
  public var keyspaceSampling: Bool
  /// Whether FLUSHDB and FLUSHALL are executed.
  public var allowFlush: Bool
  /// Whether events may show keys and values.
  public var logValues: Bool
  /// What clients have to send with AUTH as the user `default`; nil when that user has no password.
  public var password: Secret?
  /// Users with names of their own. Without any, and without `password`, nobody has to log in.
  public var users: [User] = []
  /// What clients may use up at most.
  public var limits: Limits
}
