internal import Synchronization

/// A floating-point number that any thread may read and change without a lock.
///
/// It is stored as its bit pattern: the hardware adds integers atomically, not fractions, so addition is a
/// compare-and-exchange loop. Orderings are relaxed, since a metric publishes nothing but itself.
struct AtomicDouble: ~Copyable, Sendable {
  private let bits = Atomic<UInt64>(0)

  /// Creates a number of zero.
  init() {}

  /// The current value.
  var value: Double {
    Double(bitPattern: bits.load(ordering: .relaxed))
  }

  /// Replaces the value.
  func set(_ value: Double) {
    bits.store(value.bitPattern, ordering: .relaxed)
  }

  /// Adds to the value.
  func add(_ amount: Double) {
    var current = bits.load(ordering: .relaxed)
    while true {
      let sum = Double(bitPattern: current) + amount
      let outcome = bits.weakCompareExchange(expected: current, desired: sum.bitPattern, ordering: .relaxed)
      if outcome.exchanged { return }
      current = outcome.original
    }
  }
}
