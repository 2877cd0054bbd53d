internal import Synchronization

/// The number of events since the process started.
///
/// Any thread may increment it, without a lock and without waiting for another thread or a scrape.
public final class Counter: Sendable {
  private let whole = Atomic<UInt64>(0)
  /// The amounts of swift-metrics' floating-point counters, apart from `whole`, so that counting events is exact and
  /// takes one instruction.
  private let fraction = AtomicDouble()

  init() {}

  /// The current count.
  public var value: Double {
    Double(whole.load(ordering: .relaxed)) + fraction.value
  }

  /// Counts `amount` more events. Beyond 2^64 - 1 it restarts at zero, which Prometheus takes for a restart of the
  /// process.
  public func increment(by amount: UInt64 = 1) {
    whole.wrappingAdd(amount, ordering: .relaxed)
  }

  /// The count as a whole number; nil once a fraction has been added.
  var exactValue: UInt64? {
    fraction.value == 0 ? whole.load(ordering: .relaxed) : nil
  }

  /// Adds an amount that need not be whole. Anything but a positive finite number is ignored: a counter never falls.
  func add(_ amount: Double) {
    guard amount > 0 && amount.isFinite else { return }
    fraction.add(amount)
  }

  /// Restarts at zero, which Prometheus takes for a restart of the process.
  func reset() {
    whole.store(0, ordering: .relaxed)
    fraction.set(0)
  }
}
