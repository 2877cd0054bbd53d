internal import CUV

/// Calls its handler after a while, once or again and again, on the loop's thread.
///
/// The resolution is one millisecond: a timer fires up to one after its time, and later on a busy loop, and by the
/// clock of ``EventLoop/now`` never before it. Dropping the last reference closes the timer, which has to happen on the
/// loop's thread.
public final class LoopTimer: HandleOwner {
  private let loop: EventLoop
  private let handler: () -> Void
  private var memory: HandleMemory<uv_timer_t>?

  /// A timer that is not running yet. What `handler` captures lives as long as the timer.
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
  /// - Precondition: the timer was not closed.
  public func schedule(after delay: Duration, repeating interval: Duration? = nil) {
    guard let memory else {
      // A loop that ends has closed its timers, and tells their owners one after the other.
      precondition(loop.isClosed, "a closed timer was scheduled")
      return
    }
    loop.preconditionOnLoop()
    // libuv counts from its own clock, which stands still while a turn takes long, in whole milliseconds.
    uv_update_time(loop.uv)
    let sinceItsTick = Duration.nanoseconds(uv_hrtime() - uv_now(loop.uv) * 1_000_000)
    uv_timer_start(
      memory.pointer,
      { handle in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<LoopTimer>.fromOpaque(data).takeUnretainedValue().handler()
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

  /// Stops the timer for good and gives back its memory.
  public func close() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    self.memory = nil
    memory.close()
  }

  func closeHandle() { close() }

  /// Rounded up, so that a deadline is over when its timer fires.
  private static func milliseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return UInt64(seconds) * 1000 + UInt64(fraction)
  }
}
