/// What a configuration file says, checked and complete: every default is filled in, every secret has been read.
public struct SidecarConfiguration: Sendable, Equatable {
  /// The instances, in the order of the file; at least one, all with different names and addresses.
  public var instances: [InstanceConfiguration]
  /// The file with the feature flags; nil when flags are kept in memory only.
  public var featureFlagFile: String?
  /// The bearer token that the admin API asks for; nil when it asks for none.
  public var adminToken: Secret?
  /// How many bytes of log lines may wait for the writer before lines are dropped.
  public var logQueueLimitBytes: Int
  /// How many bytes commands and replies of all clients may take together.
  public var memoryLimitBytes: Int
  /// How long commands in flight may take after SIGTERM.
  public var shutdownTimeout: Duration
}
