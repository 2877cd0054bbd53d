internal import DequeModule

/// The keys of one database that are outdated on one store, so that the store's replies about them can't be trusted.
///
/// Each has the time at which it was marked, in nanoseconds of the loop's clock. A write that began before may have
/// been executed before the one that failed, so it does not clear the mark.
///
/// Bounded: a key beyond `limit` is not added. Where more may be outdated than are known, ``isDistrusted`` makes each
/// key count as stale. Loop-confined, as the store it belongs to.
struct StaleKeys {
  private struct Entry {
    var markedAt: UInt64
    let sinceMilliseconds: Int64
    var reason: StaleReason
    /// Whether it was taken from `order`, and the key is being copied.
    var isTaken = false
  }

  /// The outcome of marking a key.
  enum Marking: Equatable {
    /// It is stale now.
    case added
    /// It was stale before.
    case known
    /// It was stale because of writes that no client knows of, and lacks others now.
    case worsened
    /// There is no room for it.
    case full
  }

  /// The most bytes that the names of the keys may have together.
  static let maxBytes = 64 << 20

  private var entries: [[UInt8]: Entry] = [:]
  private var bytes = 0
  /// The keys that wait to be copied, in the order of their turns. Some of them are not stale any more.
  private var order = Deque<[UInt8]>()
  /// Keys that could not be copied, each with the time of its next attempt by the loop's clock. The pause is always the
  /// same, so they are in the order of these times.
  private var postponed = Deque<(key: [UInt8], until: UInt64)>()
  private let limit: Int
  /// Whether keys may be outdated that are not known, so that all of them count as stale.
  var isDistrusted = false

  init(limit: Int) {
    self.limit = limit
  }

  /// The number of keys known by name.
  var count: Int { entries.count }

  /// Whether nothing is stale: the common case, which costs one comparison.
  var isEmpty: Bool { entries.isEmpty && !isDistrusted }

  func contains(_ key: Span<UInt8>) -> Bool {
    isDistrusted || isKnown(key)
  }

  /// Whether the key is known to be stale by its name.
  func isKnown(_ key: Span<UInt8>) -> Bool {
    !entries.isEmpty && entries[key.array] != nil
  }

  /// The time at which a key became stale, in milliseconds since 1970, and the reason; nil if it is not known to be.
  func mark(of key: [UInt8]) -> (sinceMilliseconds: Int64, reason: StaleReason)? {
    guard !entries.isEmpty, let entry = entries[key] else { return nil }
    return (entry.sinceMilliseconds, entry.reason)
  }

  /// Whether the store lacks writes of a key that clients know of, so that its value is older than the other store's.
  func lacksWrites(of key: Span<UInt8>) -> Bool {
    guard !isDistrusted else { return true }
    return !entries.isEmpty && entries[key.array].map { !$0.reason.isUnacknowledged } == true
  }

  /// The keys that became stale after they had become so on the other store.
  func becameStale(after other: borrowing StaleKeys) -> [[UInt8]] {
    guard !other.entries.isEmpty else { return [] }
    return entries.compactMap { key, entry in
      guard let earlier = other.entries[key], earlier.sinceMilliseconds < entry.sinceMilliseconds else { return nil }
      return key
    }
  }

  mutating func insert(_ key: [UInt8], at time: UInt64, sinceMilliseconds: Int64, _ reason: StaleReason) -> Marking {
    if let before = entries[key]?.reason {
      entries[key]?.markedAt = time
      guard !reason.isUnacknowledged else { return .known }
      entries[key]?.reason = reason
      return before.isUnacknowledged ? .worsened : .known
    }
    guard entries.count < limit, bytes + key.count <= Self.maxBytes else { return .full }
    bytes += key.count
    entries[key] = Entry(markedAt: time, sinceMilliseconds: sinceMilliseconds, reason: reason)
    order.append(key)
    compact()
    return .added
  }

  /// Clears the mark of a key that was replaced as a whole or deleted on the store by a write that began at `time`: the
  /// key is the same on both stores again, unless it was marked since.
  ///
  /// - Returns: whether it was stale and no longer is.
  mutating func remove(_ key: Span<UInt8>, begunAt time: UInt64) -> Bool {
    guard !entries.isEmpty else { return false }
    let key = key.array
    guard let entry = entries[key], entry.markedAt < time else { return false }
    entries[key] = nil
    bytes -= key.count
    if entries.isEmpty {
      // Else keys that are no longer stale would look like work that is left.
      order = []
      postponed = []
    }
    return true
  }

  /// Forgets all keys.
  mutating func removeAll() {
    entries = [:]
    bytes = 0
    order = []
    postponed = []
  }

  /// Returns the keys as operators see them, in no order.
  ///
  /// - Parameter limit: the number of the oldest keys to return. Others of the same millisecond may be returned as
  ///   well.
  func list(database: Int, limit: Int = .max) -> [StaleKey] {
    guard limit > 0 else { return [] }
    // Only the times are sorted: there may be very many keys, and this blocks the loop.
    let last = entries.count > limit ? entries.values.map(\.sinceMilliseconds).sorted()[limit - 1] : .max
    return entries.compactMap { key, entry in
      guard entry.sinceMilliseconds <= last else { return nil }
      return StaleKey(key: key, database: database, sinceMilliseconds: entry.sinceMilliseconds, reason: entry.reason)
    }
  }

  /// The time at which the oldest one became stale, in milliseconds since 1970; nil if there is none. Takes time
  /// proportional to the number of keys.
  var oldestMilliseconds: Int64? { entries.values.lazy.map(\.sinceMilliseconds).min() }
}

// MARK: Healing

extension StaleKeys {
  /// The pause before the copy of a key that failed is retried, in nanoseconds: the cause may last.
  static let retryPause: UInt64 = 10_000_000_000

  /// Queues the keys whose pause is over.
  mutating func resumePostponed(now: UInt64) {
    while let first = postponed.first, first.until <= now {
      postponed.removeFirst()
      order.append(first.key)
    }
  }

  /// Takes the next key to copy; nil if none is left.
  mutating func takeNext() -> [UInt8]? {
    while let key = order.popFirst() {
      guard entries[key]?.isTaken == false else { continue }
      entries[key]?.isTaken = true
      return key
    }
    return nil
  }

  /// Whether a key is queued. It may have been repaired meanwhile.
  var hasNext: Bool { !order.isEmpty }

  /// Ends the copying of a key that was taken. If it is still stale, it is queued again.
  ///
  /// - Parameter hasFailed: whether the copy failed, so that there is a pause first. Otherwise the key was marked again
  ///   while it was being copied.
  mutating func giveBack(_ key: [UInt8], hasFailed: Bool, now: UInt64) {
    guard entries[key]?.isTaken == true else { return }
    entries[key]?.isTaken = false
    if hasFailed { postponed.append((key, now + Self.retryPause)) } else { order.append(key) }
  }

  /// Queues all keys that could not be copied: the store is available again, and earlier failures do not count.
  mutating func retryAll() {
    for (key, _) in postponed { order.append(key) }
    postponed = []
  }

  /// Drops queued keys that are not stale any more once they are the majority.
  private mutating func compact() {
    guard order.count > 2 * entries.count + 64 else { return }
    var seen = Set<[UInt8]>()
    order.removeAll { entries[$0]?.isTaken != false || !seen.insert($0).inserted }
  }
}
