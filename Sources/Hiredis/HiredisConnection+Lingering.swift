internal import EventLoop

/// Commands that nobody waits for: they leave together, so that the store is woken once for all of them.
extension HiredisConnection {
  /// The longest that a command lingers. The timer's resolution adds up to a millisecond.
  static let longestLinger = Duration.milliseconds(1)
  /// When so much lingers it leaves; a command of this size does not linger. It is what a server reads at once.
  static let mostLingeringBytes = 16 * 1024

  /// A command has just been held back that may linger.
  func linger() {
    guard queue.heldBytes < Self.mostLingeringBytes else { return handOver() }
    guard !isLingering else { return }
    isLingering = true
    let timer = lingerTimer ?? LoopTimer(on: loop) { [unowned self] in handOver() }
    lingerTimer = timer
    timer.schedule(after: Self.longestLinger)
  }
}
