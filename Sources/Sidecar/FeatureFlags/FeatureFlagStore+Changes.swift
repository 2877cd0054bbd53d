internal import Logging
internal import MultiStore
internal import Synchronization

extension FeatureFlagStore {
  /// The source that a change of the file has in the log and in `FlagStatistics`.
  public static let fileSource = "file"

  /// Looks at the file, and takes over what has changed there. What cannot be understood changes nothing and is logged
  /// once. A file that is gone changes nothing either: a link may just be about to be switched. Does nothing while a
  /// change is being written.
  ///
  /// - Parameter reason: What the log says about why the file was looked at, such as "file event" or "SIGHUP".
  public func reload(reason: String) {
    guard let filePath else { return }
    // A change that is being written right now has looked at the file itself, and may wait for the disk: whoever
    // watches the file has other things to do meanwhile, and looks again soon.
    _ = state.withLockIfAvailable { state in look(at: filePath, reason: reason, state: &state) }
  }

  /// Switches a flag on or off: in the file first, then in force for the next command.
  ///
  /// - Parameters:
  ///   - name: The full name of the flag.
  ///   - isOn: What it is to be.
  ///   - source: Who wants that, for the log, such as "admin API".
  public func set(_ name: String, to isOn: Bool, source: String) throws(FeatureFlagError) {
    guard known.contains(where: { $0.name == name }) else { throw unknownFlag(name) }
    try change(source: source) { file in file.set(name, to: isOn) }
  }

  /// Takes a flag out of the file, so that it is off. Flags that belong to no instance can be removed as well.
  ///
  /// - Parameters:
  ///   - name: The full name of the flag.
  ///   - source: Who wants that, for the log, such as "admin API".
  public func remove(_ name: String, source: String) throws(FeatureFlagError) {
    let isKnown = known.contains { $0.name == name }
    let unknownFlag = unknownFlag(name)
    try change(source: source) { (file) throws(FeatureFlagError) in
      guard isKnown || file[name] != nil else { throw unknownFlag }
      file.entries.removeAll { $0.name == name }
    }
  }

  private func unknownFlag(_ name: String) -> FeatureFlagError {
    .unknownFlag(name, known: known.map(\.name))
  }

  private func change(
    source: String,
    _ edit: (inout FeatureFlagFile) throws(FeatureFlagError) -> Void
  ) throws(FeatureFlagError) {
    try state.withLock { (state) throws(FeatureFlagError) in
      guard let filePath else {
        var file = FeatureFlagFile(
          entries: known.filter(\.isOn).map { FeatureFlagFile.Entry(name: $0.name, isOn: true) }
        )
        try edit(&file)
        if apply(file, source: source) {
          logger.warning("Feature flags have no file and are kept in memory: they will not survive a restart")
        }
        return
      }
      // Somebody may have saved the file just now: this change is made to what is there, not to what was there.
      look(at: filePath, reason: source, state: &state)
      if let problem = state.problem { throw problem }
      var file = state.file
      try edit(&file)
      let isMissing = state.sighting == .missing
      guard isMissing ? file.entries.contains(where: \.isOn) || file != state.file : file != state.file else { return }
      try write(file, to: filePath, state: &state)
      _ = apply(file, source: source)
    }
  }

  private func write(_ file: FeatureFlagFile, to path: String, state: inout State) throws(FeatureFlagError) {
    let original: [UInt8]? = if case .contents(let bytes) = state.sighting { bytes } else { nil }
    let bytes = file.text(replacing: original)
    do throws(AtomicFile.Failure) {
      if let failure = try AtomicFile.replace(path, by: bytes) {
        let metadata: Logger.Metadata = ["path": "\(path)", "reason": "\(failure)"]
        logger.warning("Feature flag file written, but a power failure could undo it", metadata: metadata)
      }
    } catch {
      switch error {
      case .readOnly(let reason): throw .readOnly(path: path, reason: reason)
      case .failed(let reason): throw .writeFailed(path: path, reason: reason)
      }
    }
    state.file = file
    state.sighting = .contents(bytes)
    published.withLock { $0.lastReloadSucceeded = true }
  }

  /// Looks at the file and takes over what is new there.
  private func look(at path: String, reason: String, state: inout State) {
    let sighting = Self.look(at: path)
    guard sighting != state.sighting else { return }
    let metadata: Logger.Metadata = ["path": "\(path)", "reason": "\(reason)"]
    state.sighting = sighting
    let hadProblem = state.problem != nil
    do throws(FeatureFlagError) {
      switch sighting {
      case .missing:
        state.problem = nil
        logger.warning("Feature flag file is gone; the last flags stay in force", metadata: metadata)
        return
      case .unreadable(let failure): throw FeatureFlagError.unreadable(path: path, reason: failure.description)
      case .contents(let bytes): state.file = try Self.parse(bytes, path: path)
      }
    } catch {
      state.problem = error
      published.withLock { statistics in
        statistics.reloadFailures += 1
        statistics.lastReloadSucceeded = false
      }
      var metadata = metadata
      metadata["problem"] = "\(error)"
      logger.error("Feature flag file is not usable; the last good flags stay in force", metadata: metadata)
      return
    }
    state.problem = nil
    published.withLock { statistics in
      statistics.reloads += 1
      statistics.lastReloadSucceeded = true
    }
    if hadProblem { logger.notice("Feature flag file is usable again", metadata: metadata) }
    logUnknown(in: state.file)
    _ = apply(state.file, source: Self.fileSource)
  }

  /// Brings the instances to what the file says, both flags of an instance at once. True when something changed.
  private func apply(_ file: FeatureFlagFile, source: String) -> Bool {
    var hasChanged = false
    for instance in instances {
      let new = file.state(of: instance)
      let old = instance.exchange(new)
      for flag in FeatureFlag.allCases where old[flag] != new[flag] {
        hasChanged = true
        let generation = record(instance, flag, isOn: new[flag], source: source)
        logChange(instance, flag, old: old[flag], new: new[flag], source: source, generation: generation)
      }
    }
    return hasChanged
  }

  /// Counts the change of one flag, and returns how many there have been.
  private func record(_ instance: FeatureFlags, _ flag: FeatureFlag, isOn: Bool, source: String) -> UInt64 {
    let now = clock()
    return published.withLock { statistics in
      statistics.generation += 1
      for index in statistics.flags.indices
      where statistics.flags[index].instanceName == instance.instanceName && statistics.flags[index].flag == flag {
        statistics.flags[index].isOn = isOn
        statistics.flags[index].lastChangeSeconds = now
        statistics.flags[index].lastSource = source
      }
      return statistics.generation
    }
  }
}

extension FeatureFlagFile {
  /// Sets a flag, at its place or at the end. Off is not written where it holds already.
  fileprivate mutating func set(_ name: String, to isOn: Bool) {
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].isOn = isOn
    } else if isOn {
      entries.append(Entry(name: name, isOn: true))
    }
  }
}
