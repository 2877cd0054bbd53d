internal import EventLoop
internal import Status

/// Takes samples for the status board, by timers of the main loop, which executes no client's commands. Confined to
/// that loop.
final class StatusSampler {
  /// The time between two checks for a changed state. Counts until then belong to the previous state.
  private static let stateInterval = Duration.milliseconds(250)

  private let timer: LoopTimer
  private let stateTimer: LoopTimer

  init(on loop: EventLoop, _ board: StatusBoard) {
    timer = LoopTimer(on: loop) { board.sample() }
    timer.schedule(after: SampleHistory.interval, repeating: SampleHistory.interval)
    stateTimer = LoopTimer(on: loop) { board.noteStates() }
    stateTimer.schedule(after: Self.stateInterval, repeating: Self.stateInterval)
  }

  func close() {
    timer.close()
    stateTimer.close()
  }
}
