internal import CoreMetrics
internal import EventLoop
internal import RESP

/// Keys that are outdated on this store.
extension Store {
  /// Whether a key of `command` is stale here, so that the store's reply can't be trusted.
  func isStale(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !stale.isEmpty else { return false }
    if stale.isDistrusted { return true }
    return spec.hasKey(ofCommand: command) { stale.isKnown($0) }
  }

  /// A write of `command` did not reach this store, or may not have.
  func markStale(_ command: Span<UInt8>, _ spec: CommandSpec, because reason: StaleReason) {
    if spec.keys == .none, spec.traits.contains(.replacesKeys) {  // FLUSHALL, FLUSHDB
      return family.distrust(because: .flushNotCopied, now: loop.wallClockMilliseconds)
    }
    spec.forEachKey(ofCommand: command) { markStale(key: $0.array, because: reason) }
  }

  /// A write of `key` did not reach this store, or may not have.
  func markStale(key: [UInt8], because reason: StaleReason) {
    let since = loop.wallClockMilliseconds
    switch stale.insert(key, at: loop.now, sinceMilliseconds: since, reason) {
    case .known: return
    case .full: family.distrust(because: .overflow, now: since)
    case .added:
      let key = StaleKey(key: key, database: number, sinceMilliseconds: since, reason: reason)
      family.recorder?.append(.marked(role, key))
    }
  }

  /// `key` was replaced on this store by what began at `time`, in nanoseconds of the loop's clock.
  ///
  /// - Returns: whether it was stale, and is so no longer.
  @discardableResult
  func clearStale(key: Span<UInt8>, begunAt time: UInt64) -> Bool {
    guard stale.remove(key, begunAt: time) else { return false }
    family.recorder?.append(.cleared(role, database: number, key: key.array))
    return true
  }

  /// No key is stale here: the database was emptied on both stores.
  func clearAllStale() {
    guard stale.count > 0 else { return }
    stale.removeAll()
    family.recorder?.append(.clearedAll(role, database: number))
  }

  /// FLUSHDB emptied the database on both stores. Others may be there that are not trusted.
  private func wasFlushed() {
    if family.hasOneDatabase { family.wasEmptied() } else { clearAllStale() }
  }

  /// Whether a write may end that keys are stale. In the usual case it can't, which this tells without the command.
  @inline(__always)
  func hasStale(for spec: CommandSpec) -> Bool { !stale.isEmpty || spec.traits.contains(.empties) }

  /// A write of `command`, which began at `time` (nanoseconds of the loop's clock), was executed here. Keys that it
  /// replaced as a whole are no longer stale, if they were so before.
  func clearStale(_ command: Span<UInt8>, _ spec: CommandSpec, begunAt time: UInt64) {
    // The keys come first: comparing the command takes longer.
    if spec.keys == .none, spec.id == .flushAll { return family.wasEmptied() }
    guard !stale.isEmpty, spec.traits.contains(.replacesKeys) else { return }
    if spec.keys == .none { return wasFlushed() }
    spec.forEachKey(ofCommand: command) { clearStale(key: $0, begunAt: time) }
  }

  /// The copy of the command at `index` failed here, or may have: it is counted, and its keys are stale.
  func copyFailed(_ batch: CommandBatch, _ index: Int, _ reason: CopyFailureReason) {
    batch.withCommand(index) { markStale($0, batch.bytesSpec(index), because: StaleReason(reason)) }
    metrics.copyFailed(reason)
  }

  /// The default store may or may not have executed the command at `index`, so that this store may or may not lack it.
  func mayLack(_ batch: CommandBatch, _ index: Int) {
    let spec = batch.spec(index)
    // By its options a command that may write can be a read: SORT without STORE.
    guard spec.effect != .none || spec.staysUncopied,
      batch.withCommand(index, { spec.commandClass(ofCommand: $0) }) != .read
    else { return }
    copyFailed(batch, index, .defaultUnknown)
  }
}
