internal import RESP

/// The keys whose last write failed on one store: what that store says about them is not true any more.
///
/// Each has the time at which it was marked, in nanoseconds of the loop's clock. A write that began before may have
/// been executed before the one that failed, so that it makes nothing whole.
///
/// Bounded: when more keys went stale than `limit`, no key of the store can be trusted, and everything counts as stale
/// until ``removeAll()``. Loop-confined, as the store it belongs to.
struct StaleKeys {
  private var keys: [[UInt8]: UInt64] = [:]
  private let limit: Int
  /// True when the limit was exceeded, so that keys went stale that are not in the set.
  private(set) var hasOverflowed = false

  init(limit: Int) {
    self.limit = limit
  }

  /// Keys known by name.
  var count: Int { keys.count }

  /// False when nothing is stale: the common case, which costs one comparison.
  var isEmpty: Bool { keys.isEmpty && !hasOverflowed }

  func contains(_ key: Span<UInt8>) -> Bool {
    hasOverflowed || (!keys.isEmpty && keys[key.array] != nil)
  }

  mutating func insert(_ key: Span<UInt8>, at time: UInt64) {
    let key = key.array
    guard keys.count < limit || keys[key] != nil else {
      hasOverflowed = true
      return
    }
    keys[key] = time
  }

  /// A write of all keys failed: nothing that the store says can be trusted.
  mutating func insertAll() {
    hasOverflowed = true
  }

  /// The key was replaced as a whole or deleted on the store by what began at `time`: it is the same on both again, if
  /// it was marked before.
  mutating func remove(_ key: Span<UInt8>, begunAt time: UInt64) {
    guard !keys.isEmpty else { return }
    let key = key.array
    if let markedAt = keys[key], markedAt < time { keys[key] = nil }
  }

  mutating func removeAll() {
    keys.removeAll()
    hasOverflowed = false
  }
}
