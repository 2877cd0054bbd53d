internal import Synchronization

/// A number of events since the process started.
///
/// Any thread may increment it; that takes no lock and waits for nobody, a scrape included.
public final class Counter: Sendable {
  private let whole = Atomic<UInt64>(0)
  /// What swift-metrics' floating-point counters add. Apart from `whole`, so that counting events stays exact and is
  /// one instruction.
  private let fraction = AtomicDouble()

  init() {}

  /// The count now.
  public var value: Double {
    Double(whole.load(ordering: .relaxed)) + fraction.value
  }

  /// Counts `amount` more events. Beyond 2^64 - 1 it begins again at zero, which Prometheus takes for a restart.
  public func increment(by amount: UInt64 = 1) {
    whole.wrappingAdd(amount, ordering: .relaxed)
  }

  /// The count as a whole number; nil once a fraction has been added.
  var exactValue: UInt64? {
    fraction.value == 0 ? whole.load(ordering: .relaxed) : nil
  }

  /// Adds an amount that need not be whole. Anything but a positive finite number is left out: a counter never falls.
  func add(_ amount: Double) {
    guard amount > 0 && amount.isFinite else { return }
    fraction.add(amount)
  }

  /// Begins again at zero, which Prometheus takes for a restart.
  func reset() {
    whole.store(0, ordering: .relaxed)
    fraction.set(0)
  }
}
