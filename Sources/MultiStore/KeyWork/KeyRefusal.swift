/// A store's refusal of a whole key, the reason of which is the state of the store and not the key: it is full, or does
/// not take writes.
struct KeyRefusal {
  /// The size in the server's memory from which on a key is not tried again at once, in bytes.
  static let costlyBytes = 64 << 10
  /// The time after which it is, in nanoseconds.
  private static let pause: UInt64 = 10_000_000_000

  let failure: CopyFailure
  /// The time of the refusal, by the loop's clock.
  let at: UInt64

  /// Whether a key of this size is expected to be refused as well: the default store would dump it in vain, and clients
  /// would wait for that, at each of their writes.
  func concerns(keyOf bytes: Int, at now: UInt64) -> Bool { bytes >= Self.costlyBytes && now < at + Self.pause }
}
