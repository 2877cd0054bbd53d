internal import CoreMetrics
internal import RESP

/// Keys whose last write failed on this store.
extension Store {
  /// Whether a key of `command` is stale here, so that the store's reply can't be trusted.
  func isStale(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !stale.isEmpty else { return false }
    if stale.hasOverflowed { return true }
    return spec.hasKey(ofCommand: command) { stale.contains($0) }
  }

  /// A write of `command` failed here, or may have.
  func markStale(_ command: Span<UInt8>, _ spec: CommandSpec) {
    if spec.id == .flushAll { return family.forEach { $0.stale.insertAll() } }
    if spec.keys == .none, spec.traits.contains(.replacesKeys) { return stale.insertAll() }  // FLUSHDB
    let now = loop.now
    spec.forEachKey(ofCommand: command) { stale.insert($0, at: now) }
  }

  /// Whether a write may end that keys are stale. In the usual case it can't, which this tells without the command.
  @inline(__always)
  func hasStale(for spec: CommandSpec) -> Bool { !stale.isEmpty || spec.traits.contains(.empties) }

  /// A write of `command`, which began at `time` (nanoseconds of the loop's clock), was executed here. Keys that it
  /// replaced as a whole are no longer stale, if they were so before.
  func clearStale(_ command: Span<UInt8>, _ spec: CommandSpec, begunAt time: UInt64) {
    // The keys come first: comparing the command takes longer.
    if spec.keys == .none, spec.id == .flushAll { return family.forEach { $0.stale.removeAll() } }
    guard !stale.isEmpty, spec.traits.contains(.replacesKeys) else { return }
    if spec.keys == .none { return stale.removeAll() }  // FLUSHDB
    spec.forEachKey(ofCommand: command) { stale.remove($0, begunAt: time) }
  }

  /// The copy of the command at `index` failed here, or may have: it is counted, and its keys are stale.
  func copyFailed(_ batch: CommandBatch, _ index: Int, _ reason: CopyFailureReason) {
    batch.withCommand(index) { markStale($0, batch.bytesSpec(index)) }
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
