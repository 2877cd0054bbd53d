public import class TLS.TLSServer

/// A configuration, checked and complete: every default is filled in, every secret has been read.
public struct SidecarConfiguration: Sendable, Equatable {
  /// The instances, in the order of the file; at least one, all with different names and addresses.
  public var instances: [InstanceConfiguration]
  /// The file with the feature flags; nil when flags are kept in memory only.
  public var featureFlagFile: String?
  /// The folder with each instance's stale keys; nil when they are kept in memory only.
  public var stateDirectory: String?
  /// The bearer token that the admin API requires; nil for none.
  public var adminToken: Secret?
  /// The certificates of the admin API; nil for plain HTTP.
  public var adminTLS: TLSServer?
  /// The bytes of log lines that may wait for the writer before lines are dropped.
  public var logQueueLimitBytes: Int
  /// The bytes that commands and replies of all clients may take together.
  public var memoryLimitBytes: Int
  /// The time that commands in flight have after SIGTERM.
  public var shutdownTimeout: Duration
}
