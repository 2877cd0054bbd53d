public import MultiStore
public import class TLS.TLSServer

/// The configuration of one instance: its addresses, its two stores, and the routing between them.
public struct InstanceConfiguration: Sendable, Equatable {
  /// The limits on the clients of an instance.
  public struct Limits: Sendable, Equatable {
    /// The number of clients connected at once; further ones get an error and are closed.
    public var maxClients: Int
    /// The time without a command after which a client is closed; nil means never.
    public var idleTimeout: Duration?
    /// The largest argument of a command, in bytes.
    public var maxBulkBytes: Int
    /// The largest number of arguments of a command.
    public var maxArguments: Int
    /// The bytes of replies that may wait for a client that does not read, before it is closed.
    public var clientOutputBufferLimitBytes: Int
    /// The number of commands of one client that may wait for replies, before it is no longer read.
    public var maxPipelinedCommands: Int
    /// The number of dedicated connections to one store at once.
    public var maxDedicatedConnections: Int
    /// The number of keys of one database remembered as stale on one store.
    public var maxStaleKeys: Int
    /// The number of stale keys on a store beyond which the default store moves there only if forced.
    public var maxKeysAtFlip: Int
    /// The number of keys copied whole in a second while no client waits for them.
    public var keyWorkRate: Int
    /// The size in bytes of a key above which a backfill copies it alone.
    public var largeKeyBytes: Int
    /// The number of events of one class that are logged in a second; the rest is counted as suppressed.
    public var eventRateLimitPerSecond: Int
  }

  /// The comparison of keys that were written to both stores, once they are quiet.
  public struct SettledChecks: Sendable, Equatable {
    /// The number of keys that are compared in a second; 0 for none.
    public var rate: Int
    /// The time without a write before a key is compared.
    public var delay: Duration
    /// Whether a key that differs is copied again.
    public var heals: Bool
  }

  /// A user that clients can log in as.
  public struct User: Sendable, Equatable {
    /// The user's name in AUTH.
    public var name: String
    /// The user's password; nil for one that has a certificate alone.
    public var password: Secret?
    /// A name of the certificates of clients that are this user without a password.
    public var certificateName: String?
  }

  /// TLS for clients.
  public struct TLS: Sendable, Equatable {
    /// The listeners' certificate, and their requirements on clients'.
    public var server: TLSServer
    /// The time that a client has for the handshake.
    public var handshakeTimeout: Duration
  }

  /// Matches `[a-z][a-z0-9_]*`; suffix of the feature flags and value of the label `instance_name`.
  public var name: String
  /// The addresses that clients connect to; at least one.
  public var listen: [ListenAddress]
  /// TLS of those addresses that use it; nil if none does.
  public var tls: TLS?
  /// The new store; nil makes the instance a plain pass-through.
  public var primary: StoreConfiguration?
  /// The old store.
  public var secondary: StoreConfiguration
  /// The routing of reads while the dual write flag is on.
  public var readPolicy: ReadPolicy
  /// The moment at which a dual write is answered.
  public var writeAcknowledgement: WriteAcknowledgement
  /// The time limit on a reply of the store that is not the default.
  public var otherStoreTimeout: Duration
  /// The treatment of commands that the command table does not have.
  public var unlistedCommands: UnlistedCommands
  /// The way in which scripts and functions reach the other store.
  public var scripts: ScriptExecution
  /// The comparison of both stores' replies.
  public var comparison: ReplyComparison
  /// Whether a read whose replies differed is compared once more.
  public var recheckDiffs: Bool
  /// Whether the stores' numbers of keys and times to live are sampled.
  public var keyspaceSampling: Bool
  /// Whether FLUSHDB and FLUSHALL are executed.
  public var allowFlush: Bool
  /// Whether events may show keys and values.
  public var logValues: Bool
  /// The password of the user `default`; nil when that user has none.
  public var password: Secret?
  /// The users besides `default`. Without any, and without `password`, clients need not log in.
  public var users: [User] = []
  /// The comparison of keys that were written.
  public var settledChecks: SettledChecks
  /// The limits on clients.
  public var limits: Limits
}
