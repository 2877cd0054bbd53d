internal import RESP

/// The keys whose last write failed on one store: what that store says about them is not true any more.
///
/// Bounded: when more keys went stale than `limit`, no key of the store can be trusted, and everything counts as stale
/// until ``removeAll()``. Loop-confined, as the store it belongs to.
struct StaleKeys {
  private var keys: Set<[UInt8]> = []
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
    hasOverflowed || (!keys.isEmpty && keys.contains(key.array))
  }

  mutating func insert(_ key: Span<UInt8>) {
    let key = key.array
    guard keys.count < limit || keys.contains(key) else {
      hasOverflowed = true
      return
    }
    keys.insert(key)
  }

  /// A write of all keys failed: nothing that the store says can be trusted.
  mutating func insertAll() {
    hasOverflowed = true
  }

  /// The key was replaced as a whole or deleted on the store: it is the same on both again.
  mutating func remove(_ key: Span<UInt8>) {
    guard !keys.isEmpty else { return }
    keys.remove(key.array)
  }

  mutating func removeAll() {
    keys.removeAll()
    hasOverflowed = false
  }
}
