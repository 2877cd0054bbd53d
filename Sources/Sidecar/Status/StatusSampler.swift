internal import EventLoop
internal import Status

/// Has the status board take its samples. Confined to the main loop, where no client's command passes.
final class StatusSampler {
  /// How often it looks whether a state has changed. What is counted until then counts for the state before.
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
