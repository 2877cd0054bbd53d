internal import CoreMetrics
internal import EventLoop
internal import RESP

/// Keys that are outdated on this store.
extension Store {
  /// Whether a key of `command` is stale here, so that the store's reply can't be trusted. The default store's values
  /// are authoritative, but for the keys that are known to be stale.
  func isStale(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    hasKey(of: command, spec) { stale.isKnown($0) }
  }

  /// Whether the value of a key of `command` is older here than on the other store.
  func lacksWrites(of command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    hasKey(of: command, spec) { lacksWrites(of: $0) }
  }

  /// Whether a condition that only stale keys can meet holds for a key of `command`, or each key counts as stale.
  private func hasKey(of command: Span<UInt8>, _ spec: CommandSpec, where isStale: (Span<UInt8>) -> Bool) -> Bool {
    guard !stale.isEmpty else { return false }
    return isDistrusted || spec.hasKey(ofCommand: command, where: isStale)
  }

  /// Whether a key's value is older here than on the other store. A key that the new store lacks may never have been
  /// moved, so the old one's value counts if no client knows of the writes that it lacks.
  func lacksWrites(of key: Span<UInt8>) -> Bool {
    isDistrusted || stale.isKnown(key) && (role == .primary || stale.lacksWrites(of: key))
  }

  /// Whether the other store's miss counts more than this store's value of a key of `command`; see ``isOutdated(_:)``.
  func isOutdated(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    isDistrusted || spec.hasKey(ofCommand: command) { isOutdated($0) }
  }

  /// Whether the value of a key is older here than on the other store, or is being replaced. A copy because of a write
  /// of which no client knows leaves the value if the other store has none.
  func isOutdated(_ key: Span<UInt8>) -> Bool {
    if lacksWrites(of: key) { return true }
    guard !isDefault, keysBeingCopied.contains(key) else { return false }
    return stale.mark(of: key.array)?.reason.isUnacknowledged != true
  }

  /// Whether a key is stale here.
  func isStale(key: Span<UInt8>) -> Bool { isDistrusted || stale.isKnown(key) }

  /// Whether all keys count as stale.
  private var isDistrusted: Bool { stale.isDistrusted && !isDefault }

  /// Marks the keys of `command` as stale: it did not reach this store, or may not have.
  func markStale(_ command: Span<UInt8>, _ spec: CommandSpec, because reason: StaleReason) {
    guard spec.keys != .none else { return missed(spec) }
    spec.forEachKey(ofCommand: command) { markStale(key: $0.array, because: reason) }
  }

  /// Handles a command without keys that did not reach this store, or may not have.
  private func missed(_ spec: CommandSpec) {
    if spec.traits.contains(.replacesKeys) {  // FLUSHALL, FLUSHDB
      return family.distrust(because: .flushNotCopied, now: loop.wallClockMilliseconds)
    }
    owner.store(self, didMiss: spec)
  }

  /// Marks `key` as stale: a write of it did not reach this store, or may not have.
  ///
  /// A key can be stale on both stores: it lacks writes on the one whose mark is the earlier one, and whose value is
  /// never copied before it was replaced itself. The other one's may have a write too many, of which the client did not
  /// learn whether it was executed. That one is the truth, so the default store gets no such mark.
  func markStale(key: [UInt8], because reason: StaleReason) {
    var since = loop.wallClockMilliseconds
    if let other = counterpart?.stale.mark(of: key) {
      if other.reason == .mayHaveMore, reason != .mayHaveMore {
        since = min(since, other.sinceMilliseconds &- 1)
      } else {
        if isDefault, stale.mark(of: key) == nil { return }
        since = max(since, other.sinceMilliseconds.addingSaturated(1))
      }
    }
    switch stale.insert(key, at: loop.now, sinceMilliseconds: since, reason) {
    case .known: return
    case .full: return family.distrust(because: .overflow, now: since)
    case .added: break
    case .worsened: since = stale.mark(of: key)?.sinceMilliseconds ?? since
    }
    let key = StaleKey(key: key, database: number, sinceMilliseconds: since, reason: reason)
    family.recorder?.append(.marked(role, key))
  }

  /// Clears the mark of `key`, which was replaced on this store by a write that began at `time`, in nanoseconds of the
  /// loop's clock.
  ///
  /// - Returns: whether it was stale and no longer is.
  @discardableResult
  func clearStale(key: Span<UInt8>, begunAt time: UInt64) -> Bool {
    guard stale.remove(key, begunAt: time) else { return false }
    family.recorder?.append(.cleared(role, database: number, key: key.array))
    return true
  }

  /// Clears the marks of keys that had become stale on the other store before: this one is the default store now, and
  /// has the values, which may be on their way to the other store. A key that a client's command is replacing there has
  /// its new value there.
  func clearLaterMarks() {
    guard let counterpart else { return }
    for key in stale.becameStale(after: counterpart.stale) where !counterpart.keysBeingCopied.isBeingReplaced(key) {
      clearStale(key: key.span, begunAt: .max)
    }
  }

  /// Clears all marks.
  func clearAllStale() {
    guard stale.count > 0 else { return }
    stale.removeAll()
    family.recorder?.append(.clearedAll(role, database: number))
  }

  /// Clears the marks after FLUSHALL or FLUSHDB. Values that are on their way to the default store were there before.
  private func wasFlushed(_ spec: CommandSpec) {
    let isWhole = spec.id == .flushAll
    if isDefault {
      if isWhole { family.forEach { $0.dropCopies() } } else { dropCopies() }
    }
    // Other databases may exist that are not trusted.
    if isWhole || family.hasOneDatabase { family.wasEmptied() } else { clearAllStale() }
  }

  private func dropCopies() {
    for copy in keysBeingCopied.all { copy.targetWasEmptied() }
  }

  /// Whether a write may clear marks. False in the usual case, which is decided without the command.
  @inline(__always)
  func hasStale(for spec: CommandSpec) -> Bool { !stale.isEmpty || spec.traits.contains(.empties) }

  /// Clears the marks of the keys that `command` has replaced as a whole here. It began at `time` (nanoseconds of the
  /// loop's clock); later marks stay.
  func clearStale(_ command: Span<UInt8>, _ spec: CommandSpec, begunAt time: UInt64) {
    // The keys are checked first: comparing the command takes longer.
    if spec.keys == .none, spec.traits.contains(.empties) { return wasFlushed(spec) }
    guard !stale.isEmpty, spec.traits.contains(.replacesKeys) else { return }
    spec.forEachKey(ofCommand: command) { clearStale(key: $0, begunAt: time) }
  }

  /// Counts the copy of the command at `index` as failed, which it has here or may have, and marks its keys as stale.
  func copyFailed(_ batch: CommandBatch, _ index: Int, _ reason: CopyFailureReason) {
    batch.withCommand(index) { markStale($0, batch.bytesSpec(index), because: StaleReason(reason)) }
    metrics.copyFailed(reason)
  }

  /// Counts and marks the command at `index` as a failed copy: it is not known whether the default store has executed
  /// it, so this store may lack it.
  func mayLack(_ batch: CommandBatch, _ index: Int) {
    if mayChangeKeys(batch, index) { copyFailed(batch, index, .defaultUnknown) }
  }

  /// Counts the command at `index` as a failed copy, and marks its keys: this store, from which the default store has
  /// moved away, may have executed it alone.
  func mayHaveMore(_ batch: CommandBatch, _ index: Int) {
    guard mayChangeKeys(batch, index) else { return }
    batch.withCommand(index) { markStale($0, batch.bytesSpec(index), because: .mayHaveMore) }
    metrics.copyFailed(.defaultUnknown)
  }

  private func mayChangeKeys(_ batch: CommandBatch, _ index: Int) -> Bool {
    let spec = batch.spec(index)
    // By its options a command that may write can be a read: SORT without STORE.
    return (spec.effect != .none || spec.staysUncopied)
      && batch.commandClass(index) != .read
  }
}
