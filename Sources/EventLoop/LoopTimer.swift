internal import CUV

/// Calls its handler after a delay, once or repeatedly, on the loop's thread.
///
/// The resolution is one millisecond: a timer fires up to one millisecond after its time, later on a busy loop, and
/// never before it by the clock of ``EventLoop/now``. Dropping the last reference closes the timer, which has to happen
/// on the loop's thread.
public final class LoopTimer: HandleOwner {
  private let loop: EventLoop
  private let handler: () -> Void
  private var memory: HandleMemory<uv_timer_t>?

  /// Creates a timer that is not running. It retains `handler` for its lifetime.
  public init(on loop: EventLoop, handler: @escaping () -> Void) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.handler = handler
    let memory = HandleMemory<uv_timer_t>()
    uv_timer_init(loop.uv, memory.pointer)
    self.memory = memory
    memory.setOwner(self)
  }

  deinit {
    close()
  }

  /// Calls the handler after `delay`, and then every `interval` if there is one. Replaces an earlier schedule.
  ///
  /// - Precondition: The timer is not closed.
  public func schedule(after delay: Duration, repeating interval: Duration? = nil) {
    guard let memory else {
      // A loop that ends closes its timers before it has notified all their owners.
      precondition(loop.isClosed, "a closed timer was scheduled")
      return
    }
    loop.preconditionOnLoop()
    // libuv counts in whole milliseconds from its own clock, which does not advance during a turn.
    uv_update_time(loop.uv)
    let sinceItsTick = Duration.nanoseconds(uv_hrtime() - uv_now(loop.uv) * 1_000_000)
    uv_timer_start(
      memory.pointer,
      { handle in
        guard let data = handle?.pointee.data else { return }
        let timer = Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue()
        timer.loop.beginTurn()
        timer.handler()
      },
      delay > .zero ? Self.milliseconds(sinceItsTick + delay) : 0,
      interval.map { max(1, Self.milliseconds(max($0, .zero))) } ?? 0
    )
  }

  /// Stops the timer; it can be scheduled again.
  public func cancel() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    uv_timer_stop(memory.pointer)
  }

  /// Stops the timer for good and frees its memory.
  public func close() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    self.memory = nil
    memory.close()
  }

  func closeHandle() { close() }

  /// Rounds up, so that a deadline has passed when its timer fires.
  private static func milliseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return UInt64(seconds) * 1000 + UInt64(fraction)
  }
}
