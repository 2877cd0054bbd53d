/// A value that rises and falls.
///
/// Any thread may change it, without a lock.
public final class Gauge: Sendable {
  private let current = AtomicDouble()

  init() {}

  /// The current value.
  public var value: Double {
    current.value
  }

  /// Replaces the value.
  public func set(_ value: Double) {
    current.set(value)
  }

  /// Adds an amount, which may be negative.
  public func add(_ amount: Double) {
    current.add(amount)
  }
}
