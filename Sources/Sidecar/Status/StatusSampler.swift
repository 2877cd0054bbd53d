internal import EventLoop

/// Has the status board take its samples. Confined to the main loop, where no client's command passes.
final class StatusSampler {
  private let timer: LoopTimer

  init(on loop: EventLoop, _ board: StatusBoard) {
    timer = LoopTimer(on: loop) { board.sample() }
    timer.schedule(after: SampleHistory.interval, repeating: SampleHistory.interval)
  }

  func close() { timer.close() }
}
