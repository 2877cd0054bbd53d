internal import JSONLog
public import Logging
public import MultiStore
internal import Synchronization

/// Owns the feature flag file: applies changes of the file to the instances, and writes changes of the admin API to the
/// file.
///
/// A change by `set` or `remove` is written and flushed to the file before it applies. A file that does not parse
/// changes nothing. Without a file, changes are in memory only.
///
/// Any thread may call its methods. Changes wait for each other and for the disk; reading flags and statistics does not
/// wait for the disk.
public final class FeatureFlagStore: Sendable {
  /// One flag with the instance that it belongs to.
  struct KnownFlag: Sendable {
    let instance: FeatureFlags
    let flag: FeatureFlag
    let name: String

    var isOn: Bool { instance.state[flag] }
  }

  /// The result of the last reading of the file.
  enum Sighting: Equatable {
    case missing
    case unreadable(FileFailure)
    case contents([UInt8])
  }

  /// The state that changes of the file and of flags share.
  struct State {
    /// The last valid contents of the file, including flags of no instance; without a file, those it would have.
    var file: FeatureFlagFile
    var sighting: Sighting
    /// The reason why the file's present contents are not applied; nil when they are.
    var problem: FeatureFlagError?
  }

  /// The file; nil when flags are in memory only.
  public let filePath: String?

  let instances: [FeatureFlags]
  let known: [KnownFlag]
  let logger: Logger
  let clock: @Sendable () -> Double
  let state: Mutex<State>
  let published: Mutex<FlagStatistics>

  /// Reads the flags of all instances from the file. A file that does not exist yet means that all flags are off.
  ///
  /// - Parameters:
  ///   - instances: The flags of the instances.
  ///   - filePath: The file; nil to keep flags in memory only, beginning with the present ones of `instances`.
  ///   - logger: Logs the flags at the start and every change.
  ///   - clock: Returns seconds of Unix time.
  /// - Throws: `FeatureFlagError` for a file that cannot be read or used, or whose folder does not exist: a sidecar
  ///   that started with all flags off instead could write to the store that was already left.
  public init(
    instances: [FeatureFlags],
    filePath: String?,
    logger: Logger,
    clock: @escaping @Sendable () -> Double = FeatureFlagStore.systemClock
  ) throws(FeatureFlagError) {
    self.instances = instances
    self.filePath = filePath
    self.logger = logger
    self.clock = clock
    known = instances.flatMap { instance in
      FeatureFlag.allCases.map {
        KnownFlag(instance: instance, flag: $0, name: $0.name(instance: instance.instanceName))
      }
    }
    let first: State
    if let filePath {
      first = try Self.firstLook(filePath)
      for instance in instances { instance.exchange(first.file.state(of: instance)) }
    } else {
      let entries = known.filter(\.isOn).map { FeatureFlagFile.Entry(name: $0.name, isOn: true) }
      first = State(file: FeatureFlagFile(entries: entries), sighting: .missing)
    }
    var statistics = FlagStatistics(
      flags: known.map { known in
        let isInFile = filePath != nil && first.file[known.name] != nil
        return FlagStatistics.Flag(
          instanceName: known.instance.instanceName,
          flag: known.flag,
          isOn: known.isOn,
          source: isInFile ? .file : .standard
        )
      }
    )
    if case .contents = first.sighting {
      statistics.reloads = 1
      statistics.lastReloadSeconds = clock()
    }
    published = Mutex(statistics)
    let file = first.file
    state = Mutex(first)
    logStart()
    logUnknown(in: file)
  }

  /// The flags of all instances by name, in the order of the instances.
  public func features() -> [(name: String, isOn: Bool)] {
    known.map { ($0.name, $0.isOn) }
  }

  /// Whether a flag is on; nil when no instance has one of this name.
  public func isOn(_ name: String) -> Bool? {
    known.first { $0.name == name }?.isOn
  }

  /// The counts of changes and of readings of the file.
  public var statistics: FlagStatistics {
    published.withLock { $0 }
  }

  /// The folders to watch for changes of the file. They can change with the file, and have to be read again after each
  /// event.
  public var watchedDirectories: [String] { filePath.map(AtomicFile.watchedFolders) ?? [] }

  /// Returns seconds of Unix time by the system's clock.
  @Sendable
  public static func systemClock() -> Double {
    Double(LogTime.now().millisecondsSinceEpoch) / 1000
  }

  private static func firstLook(_ path: String) throws(FeatureFlagError) -> State {
    let folder = AtomicFile.folder(of: path)
    guard AtomicFile.realPath(folder) != nil else {
      throw .unreadable(path: path, reason: "there is no folder \(folder)")
    }
    AtomicFile.removeLeftovers(of: path)
    let sighting = look(at: path)
    switch sighting {
    case .missing: return State(file: FeatureFlagFile(), sighting: sighting)
    case .unreadable(let failure): throw .unreadable(path: path, reason: failure.description)
    case .contents(let bytes): return State(file: try parse(bytes, path: path), sighting: sighting)
    }
  }

  /// Reads the file.
  static func look(at path: String) -> Sighting {
    do {
      return .contents(try SmallFile.read(path, limitBytes: YAMLDocument.largestFileBytes).bytes)
    } catch {
      return error.isNotFound ? .missing : .unreadable(error)
    }
  }

  /// Returns the flags in the contents of the file.
  static func parse(_ bytes: [UInt8], path: String) throws(FeatureFlagError) -> FeatureFlagFile {
    do {
      return try FeatureFlagFile(parsing: bytes)
    } catch {
      throw .invalidFile(path: path, problem: error.description)
    }
  }
}

extension FeatureFlagFile {
  /// Returns the flags of an instance; a flag that the file does not name is off.
  func state(of instance: FeatureFlags) -> FlagState {
    var state = FlagState()
    for flag in FeatureFlag.allCases {
      state[flag] = self[flag.name(instance: instance.instanceName)] ?? false
    }
    return state
  }
}
