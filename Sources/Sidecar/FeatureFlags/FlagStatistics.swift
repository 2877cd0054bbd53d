public import MultiStore

/// How often flags changed and how reading their file went: what the metrics about flags show.
public struct FlagStatistics: Sendable, Equatable {
  /// One flag of one instance.
  public struct Flag: Sendable, Equatable {
    /// The instance's name.
    public let instanceName: String
    /// Which of its two flags.
    public let flag: FeatureFlag
    /// Whether it is on.
    public internal(set) var isOn: Bool
    /// When it last changed, in seconds of Unix time; nil if it has not since the start.
    public internal(set) var lastChangeSeconds: Double?
    /// Where its value came from.
    public internal(set) var source = FlagSource.standard

    /// The full name, as operators type it.
    public var name: String { flag.name(instance: instanceName) }
  }

  /// Every flag, in the order of the instances.
  public internal(set) var flags: [Flag]
  /// Changes of single flags since the start.
  public internal(set) var generation: UInt64 = 0
  /// How often new contents of the file were read and found good, the first time included.
  public internal(set) var reloads: UInt64 = 0
  /// How often new contents of the file were found bad, or the file could not be read.
  public internal(set) var reloadFailures: UInt64 = 0
  /// When that was last, in seconds of Unix time; nil if there was nothing to read since the start.
  public internal(set) var lastReloadSeconds: Double?
  /// Whether what is in the file is in force. False while the file is bad and older flags hold.
  public internal(set) var lastReloadSucceeded = true
}
