internal import Synchronization

/// The progress of the shutdown, which the main loop, the instances' loops and the readiness probe share. Any thread.
final class Shutdown: Sendable {
  private let begun = Atomic(false)
  private let undrained = Atomic(0)

  /// Whether the shutdown has begun.
  var hasBegun: Bool { begun.load(ordering: .acquiring) }

  /// Begins the shutdown, which ends when ``didDrain()`` was called `instances` times. Returns false if it had begun
  /// before.
  func begin(awaiting instances: Int) -> Bool {
    undrained.store(instances, ordering: .releasing)
    return !begun.exchange(true, ordering: .acquiringAndReleasing)
  }

  /// Notes that one instance has no clients and no pending copies any more. Returns true for the last one.
  func didDrain() -> Bool {
    undrained.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
  }
}
