/// A value that goes up and down.
///
/// Any thread may change it, without a lock.
public final class Gauge: Sendable {
  private let current = AtomicDouble()

  init() {}

  /// The value now.
  public var value: Double {
    current.value
  }

  /// Replaces the value.
  public func set(_ value: Double) {
    current.set(value)
  }

  /// Adds to the value; a negative amount takes away.
  public func add(_ amount: Double) {
    current.add(amount)
  }
}
