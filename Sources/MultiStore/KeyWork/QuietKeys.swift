internal import BasicContainers
internal import DequeModule
internal import RESP

/// Keys that were written to both stores, until they have not been written for a while.
///
/// Bounded: a key for which there is no room is not added. A key is known by a hash of its name, so that a command that
/// writes one again allocates nothing; where two names have the same hash, one of them is not added. Loop-confined.
struct QuietKeys: ~Copyable {
  /// The most keys.
  static let limit = 16_384
  /// The longest name of a key, in bytes.
  static let longestKey = 1_024

  /// The memory for a name that is kept for the next one, in bytes.
  private static let keptCapacity = 64
  private static let none: Int32 = -1
  private static let bucketCount = 2 * limit

  /// Not private: Swift 6.3 can't compile an array of a private type in a type that can't be copied.
  struct Entry: ~Copyable {
    var key: ByteBuffer
    var hash: UInt64
    /// Times of the loop's clock.
    var writtenAt: UInt64
    var queuedAt: UInt64
    /// The next one of the same bucket, or the next that is free.
    var next: Int32
  }

  /// The first entry of each bucket; empty until a key is noted.
  private var buckets = UniqueArray<Int32>()
  private var entries = UniqueArray<Entry>()
  private var firstFree = QuietKeys.none
  /// Entries in the order in which they are checked.
  private var order = Deque<Int32>()

  private var named = NamedKeys()

  /// Remembers from now on which keys are noted; see ``wasNeverNoted(_:)``.
  mutating func rememberNames() { named.activate() }

  /// Whether a key was not noted since names are remembered. False while they are not.
  func wasNeverNoted(_ key: Span<UInt8>) -> Bool { named.isActive && !named.contains(Self.hash(key)) }

  /// The number of keys that were not added since the last call of ``takeRejected()``.
  private var rejected = 0

  /// Returns how many keys were not added since the last call.
  mutating func takeRejected() -> Int {
    defer { rejected = 0 }
    return rejected
  }

  /// The number of keys that wait.
  var count: Int { order.count }

  /// Notes a key that was written to both stores.
  ///
  /// - Parameter now: the loop's clock, in nanoseconds.
  /// - Returns: false if there is no room for it.
  @discardableResult
  mutating func note(_ key: Span<UInt8>, now: UInt64) -> Bool {
    let hash = Self.hash(key)
    if named.isActive { named.insert(hash) }
    if buckets.isEmpty { buckets = UniqueArray(repeating: Self.none, count: Self.bucketCount) }
    let bucket = Int(hash % UInt64(Self.bucketCount))
    var index = buckets[bucket]
    while index >= 0 {
      if entries[Int(index)].hash == hash {
        entries[Int(index)].writtenAt = now
        return true
      }
      index = entries[Int(index)].next
    }
    guard order.count < Self.limit, key.count <= Self.longestKey else {
      rejected += 1
      return false
    }
    let place = takePlace()
    entries[Int(place)].key.append(key)
    entries[Int(place)].hash = hash
    entries[Int(place)].writtenAt = now
    entries[Int(place)].queuedAt = now
    entries[Int(place)].next = buckets[bucket]
    buckets[bucket] = place
    order.append(place)
    return true
  }

  /// Whether a key waits.
  func contains(_ key: Span<UInt8>) -> Bool {
    guard !buckets.isEmpty else { return false }
    let hash = Self.hash(key)
    var index = buckets[Int(hash % UInt64(Self.bucketCount))]
    while index >= 0, entries[Int(index)].hash != hash { index = entries[Int(index)].next }
    return index >= 0
  }

  /// Takes out the key that has waited for longest and was not written for `quiet` nanoseconds; nil if there is none.
  mutating func takeDue(now: UInt64, quiet: UInt64) -> [UInt8]? {
    // Each key is checked once at most.
    for _ in 0..<order.count {
      guard let place = order.first, entries[Int(place)].queuedAt + quiet <= now else { return nil }
      order.removeFirst()
      if entries[Int(place)].writtenAt + quiet <= now { return remove(place) }
      entries[Int(place)].queuedAt = entries[Int(place)].writtenAt
      order.append(place)
    }
    return nil
  }

  /// Takes out the next key, however short the time since it was written is; nil if there is none.
  mutating func takeAny() -> [UInt8]? { order.popFirst().map { remove($0) } }

  /// Returns an entry without a key, which has kept the memory of its former key.
  private mutating func takePlace() -> Int32 {
    guard firstFree >= 0 else {
      entries.append(Entry(key: ByteBuffer(), hash: 0, writtenAt: 0, queuedAt: 0, next: Self.none))
      return Int32(entries.count - 1)
    }
    let place = firstFree
    firstFree = entries[Int(place)].next
    return place
  }

  private mutating func remove(_ place: Int32) -> [UInt8] {
    let hash = entries[Int(place)].hash
    let next = entries[Int(place)].next
    let bucket = Int(hash % UInt64(Self.bucketCount))
    if buckets[bucket] == place {
      buckets[bucket] = next
    } else {
      var before = buckets[bucket]
      while entries[Int(before)].next != place { before = entries[Int(before)].next }
      entries[Int(before)].next = next
    }
    let key = entries[Int(place)].key.bytes
    entries[Int(place)].key.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    entries[Int(place)].next = firstFree
    firstFree = place
    return key
  }

  /// FNV-1a of 64 bits, whose offset and prime are those of its authors (Fowler, Noll, Vo).
  private static func hash(_ key: Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for index in key.indices { hash = (hash ^ UInt64(key[index])) &* 0x100_0000_01b3 }
    return hash
  }
}
