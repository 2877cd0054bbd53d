internal import BasicContainers

/// The names of the keys that were written to both stores, as far as a bit for each of two hashes tells: a name that is
/// not in it was not added for certain, and one that is in it may be there for others. Loop-confined.
struct NamedKeys: ~Copyable {
  /// The size: a million names leave one of twenty that were not added undetected.
  private static let bitCount = 1 << 23

  private var words = UniqueArray<UInt64>()

  /// Whether names are added.
  var isActive: Bool { !words.isEmpty }

  /// Begins to add names.
  mutating func activate() {
    if words.isEmpty { words = UniqueArray(repeating: 0, count: Self.bitCount / 64) }
  }

  /// Adds a name by its hash.
  mutating func insert(_ hash: UInt64) {
    for bit in Self.bits(hash) { words[bit / 64] |= 1 << UInt64(bit % 64) }
  }

  /// Whether a name with this hash may have been added.
  func contains(_ hash: UInt64) -> Bool {
    Self.bits(hash).allSatisfy { words[$0 / 64] & 1 << UInt64($0 % 64) != 0 }
  }

  private static func bits(_ hash: UInt64) -> [Int] {
    [Int(hash % UInt64(bitCount)), Int((hash >> 32) % UInt64(bitCount))]
  }
}
