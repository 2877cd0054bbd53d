internal import DequeModule

/// The keys of one database that are outdated on one store: what that store says about them is not true any more.
///
/// Each has the time at which it was marked, in nanoseconds of the loop's clock. A write that began before may have
/// been executed before the one that failed, so that it makes nothing whole.
///
/// Bounded: a key beyond `limit` is not taken. Where more may be outdated than are known, ``isDistrusted`` makes each
/// key count as stale. Loop-confined, as the store it belongs to.
struct StaleKeys {
  private struct Entry {
    var markedAt: UInt64
    let sinceMilliseconds: Int64
    var reason: StaleReason
    /// Its place in `order` was taken, and the key is being copied.
    var isTaken = false
  }

  /// What became of a key that was to be marked.
  enum Marking: Equatable {
    /// It is stale now.
    case added
    /// It was so before.
    case known
    /// There is no room for it.
    case full
  }

  private var entries: [[UInt8]: Entry] = [:]
  /// The keys that nobody copies at the moment, those that are to be copied first before the others. Some of them are
  /// not stale any more.
  private var order = Deque<[UInt8]>()
  /// Keys that could not be copied, and when they may be tried again, by the loop's clock. The pause is always the
  /// same, so that they are in order.
  private var postponed = Deque<(key: [UInt8], until: UInt64)>()
  private let limit: Int
  /// Whether keys may be outdated that are not known, so that all of them count as stale.
  var isDistrusted = false

  init(limit: Int) {
    self.limit = limit
  }

  /// Keys known by name.
  var count: Int { entries.count }

  /// False when nothing is stale: the common case, which costs one comparison.
  var isEmpty: Bool { entries.isEmpty && !isDistrusted }

  func contains(_ key: Span<UInt8>) -> Bool {
    isDistrusted || isKnown(key)
  }

  /// Whether the key is known to be stale by its name.
  func isKnown(_ key: Span<UInt8>) -> Bool {
    !entries.isEmpty && entries[key.array] != nil
  }

  mutating func insert(_ key: [UInt8], at time: UInt64, sinceMilliseconds: Int64, _ reason: StaleReason) -> Marking {
    if entries[key] != nil {
      entries[key]?.markedAt = time
      entries[key]?.reason = reason
      return .known
    }
    guard entries.count < limit else { return .full }
    entries[key] = Entry(markedAt: time, sinceMilliseconds: sinceMilliseconds, reason: reason)
    order.append(key)
    compact()
    return .added
  }

  /// The key was replaced as a whole or deleted on the store by what began at `time`: it is the same on both again, if
  /// it was marked before.
  ///
  /// - Returns: whether it was stale, and is so no longer.
  mutating func remove(_ key: Span<UInt8>, begunAt time: UInt64) -> Bool {
    guard !entries.isEmpty else { return false }
    let key = key.array
    guard let entry = entries[key], entry.markedAt < time else { return false }
    entries[key] = nil
    return true
  }

  /// Forgets all keys.
  mutating func removeAll() {
    entries = [:]
    order = []
    postponed = []
  }

  /// Keys as operators see them, in no order.
  ///
  /// - Parameter limit: the most of them: those that became stale first. Others of the same millisecond may be listed
  ///   too.
  func list(database: Int, limit: Int = .max) -> [StaleKey] {
    guard limit > 0 else { return [] }
    // Times alone are sorted: there may be very many keys, and the loop waits.
    let last = entries.count > limit ? entries.values.map(\.sinceMilliseconds).sorted()[limit - 1] : .max
    return entries.compactMap { key, entry in
      guard entry.sinceMilliseconds <= last else { return nil }
      return StaleKey(key: key, database: database, sinceMilliseconds: entry.sinceMilliseconds, reason: entry.reason)
    }
  }

  /// When the first of them became stale; nil if there is none. It looks at all of them.
  var oldestMilliseconds: Int64? { entries.values.lazy.map(\.sinceMilliseconds).min() }
}

// MARK: Healing

extension StaleKeys {
  /// How long a key that could not be copied is left alone, in nanoseconds: whatever is wrong with it may last.
  static let retryPause: UInt64 = 10_000_000_000

  /// Keys whose pause is over get their turn again.
  mutating func resumePostponed(now: UInt64) {
    while let first = postponed.first, first.until <= now {
      postponed.removeFirst()
      order.append(first.key)
    }
  }

  /// The next key to copy, which the caller has now; nil if none is left.
  mutating func takeNext() -> [UInt8]? {
    while let key = order.popFirst() {
      guard entries[key]?.isTaken == false else { continue }
      entries[key]?.isTaken = true
      return key
    }
    return nil
  }

  /// Whether a key waits for its turn. It may have been made whole meanwhile.
  var hasNext: Bool { !order.isEmpty }

  /// A key that was taken is not being copied any more. If it is stale still, it gets its turn again.
  ///
  /// - Parameter hasFailed: whether the copy failed, so that there is a pause first. Otherwise the key was marked again
  ///   while it was being copied.
  mutating func giveBack(_ key: [UInt8], hasFailed: Bool, now: UInt64) {
    guard entries[key]?.isTaken == true else { return }
    entries[key]?.isTaken = false
    if hasFailed { postponed.append((key, now + Self.retryPause)) } else { order.append(key) }
  }

  /// The store can be reached again: nothing that was wrong before counts.
  mutating func retryAll() {
    for (key, _) in postponed { order.append(key) }
    postponed = []
  }

  /// Drops places of keys that are not stale any more when they are the most.
  private mutating func compact() {
    guard order.count > 2 * entries.count + 64 else { return }
    var seen = Set<[UInt8]>()
    order.removeAll { entries[$0]?.isTaken != false || !seen.insert($0).inserted }
  }
}
