internal import Logging
internal import MultiStore
internal import Synchronization

extension FeatureFlagStore {
  /// Reads the file, and applies changes of its contents. A file that cannot be used changes nothing and is logged
  /// once. A missing file changes nothing either: a link may be about to be switched. Does nothing while a change is
  /// being written.
  ///
  /// - Parameter reason: The reason for the log, such as "file event" or "SIGHUP".
  public func reload(reason: String) {
    guard let filePath else { return }
    // A change that is being written has read the file itself, and may wait for the disk. The main loop must not wait
    // for it, and reads the file again soon.
    _ = state.withLockIfAvailable { state in look(at: filePath, reason: reason, state: &state) }
  }

  /// Sets a flag: in the file first, then for the next command.
  ///
  /// - Parameters:
  ///   - name: The full name of the flag.
  ///   - isOn: The new value.
  ///   - source: The origin of the change.
  public func set(_ name: String, to isOn: Bool, source: FlagSource) throws(FeatureFlagError) {
    guard known.contains(where: { $0.name == name }) else { throw unknownFlag(name) }
    try change(source: source) { file in file.set(name, to: isOn) }
  }

  /// Removes a flag from the file, which turns it off. Flags that belong to no instance can be removed as well.
  ///
  /// - Parameters:
  ///   - name: The full name of the flag.
  ///   - source: The origin of the change.
  public func remove(_ name: String, source: FlagSource) throws(FeatureFlagError) {
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
    source: FlagSource,
    _ edit: (inout FeatureFlagFile) throws(FeatureFlagError) -> Void
  ) throws(FeatureFlagError) {
    try state.withLock { (state) throws(FeatureFlagError) in
      guard let filePath else {
        let before = state.file
        try edit(&state.file)
        if apply(state.file, over: before, source: source) {
          logger.warning("Feature flags have no file and are kept in memory: they will not survive a restart")
        }
        return
      }
      // The file may have been saved just now: the change is made to its present contents.
      look(at: filePath, reason: source.rawValue, state: &state)
      if let problem = state.problem { throw problem }
      let before = state.file
      var file = before
      try edit(&file)
      let isMissing = state.sighting == .missing
      guard isMissing ? file.entries.contains(where: \.isOn) || file != before : file != before else { return }
      try write(file, to: filePath, state: &state)
      _ = apply(file, over: before, source: source)
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

  /// Reads the file and applies new contents.
  private func look(at path: String, reason: String, state: inout State) {
    let sighting = Self.look(at: path)
    guard sighting != state.sighting else { return }
    let metadata: Logger.Metadata = ["path": "\(path)", "reason": "\(reason)"]
    state.sighting = sighting
    let before = state.file
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
      statistics.lastReloadSeconds = clock()
      statistics.lastReloadSucceeded = true
    }
    if hadProblem { logger.notice("Feature flag file is usable again", metadata: metadata) }
    logUnknown(in: state.file)
    _ = apply(state.file, over: before, source: .file)
  }

  /// Sets the instances' flags to those of the file, both flags of an instance at once. Returns whether one changed.
  ///
  /// - Parameter before: The contents that were applied before.
  private func apply(_ file: FeatureFlagFile, over before: FeatureFlagFile, source: FlagSource) -> Bool {
    var hasChanged = false
    for instance in instances {
      let new = file.state(of: instance)
      let old = instance.exchange(new)
      for (index, flag) in known.enumerated() where flag.instance === instance {
        if file[flag.name] != before[flag.name] {
          published.withLock { $0.flags[index].source = file[flag.name] == nil ? .standard : source }
        }
        guard old[flag.flag] != new[flag.flag] else { continue }
        hasChanged = true
        let generation = record(index, isOn: new[flag.flag])
        logChange(flag, old: old[flag.flag], new: new[flag.flag], source: source, generation: generation)
      }
    }
    return hasChanged
  }

  /// Counts the change of one flag, and returns the number of changes so far.
  ///
  /// - Parameter index: The flag's index in `known` and in the statistics.
  private func record(_ index: Int, isOn: Bool) -> UInt64 {
    let now = clock()
    return published.withLock { statistics in
      statistics.generation += 1
      statistics.flags[index].isOn = isOn
      statistics.flags[index].lastChangeSeconds = now
      return statistics.generation
    }
  }
}

extension FeatureFlagFile {
  /// Sets a flag, at its place or at the end. A flag that is missing and off is not added.
  fileprivate mutating func set(_ name: String, to isOn: Bool) {
    if let index = entries.firstIndex(where: { $0.name == name }) {
      entries[index].isOn = isOn
    } else if isOn {
      entries.append(Entry(name: name, isOn: true))
    }
  }
}
