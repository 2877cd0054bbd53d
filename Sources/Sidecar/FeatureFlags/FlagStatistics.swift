public import MultiStore

/// The counts of changes of flags and of readings of their file, for the metrics.
public struct FlagStatistics: Sendable, Equatable {
  /// One flag of one instance.
  public struct Flag: Sendable, Equatable {
    /// The instance's name.
    public let instanceName: String
    /// The flag, one of the instance's two.
    public let flag: FeatureFlag
    /// Whether it is on.
    public internal(set) var isOn: Bool
    /// The time of the last change, in seconds of Unix time; nil for none since the start.
    public internal(set) var lastChangeSeconds: Double?
    /// The origin of its value.
    public internal(set) var source = FlagSource.standard

    /// The full name, as in commands and in the file.
    public var name: String { flag.name(instance: instanceName) }
  }

  /// Every flag, in the order of the instances.
  public internal(set) var flags: [Flag]
  /// The number of changes of single flags since the start.
  public internal(set) var generation: UInt64 = 0
  /// The number of times that new contents of the file were applied, including the first time.
  public internal(set) var reloads: UInt64 = 0
  /// The number of times that new contents of the file could not be used.
  public internal(set) var reloadFailures: UInt64 = 0
  /// The time of the last application of new contents, in seconds of Unix time; nil for none since the start.
  public internal(set) var lastReloadSeconds: Double?
  /// Whether the file's contents apply. False while they cannot be used and older flags apply.
  public internal(set) var lastReloadSucceeded = true
}
