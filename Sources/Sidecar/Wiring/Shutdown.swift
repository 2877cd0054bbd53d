internal import Synchronization

/// How far the shutdown is: shared by the main loop, the instances' loops and the readiness probe. Any thread.
final class Shutdown: Sendable {
  private let begun = Atomic(false)
  private let undrained = Atomic(0)

  /// True once the process was asked to stop.
  var hasBegun: Bool { begun.load(ordering: .acquiring) }

  /// Begins, and is done when ``didDrain()`` was called `instances` times. False if it had begun before.
  func begin(awaiting instances: Int) -> Bool {
    undrained.store(instances, ordering: .releasing)
    return !begun.exchange(true, ordering: .acquiringAndReleasing)
  }

  /// One instance has no clients and no copies to make any more. True for the last.
  func didDrain() -> Bool {
    undrained.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
  }
}
