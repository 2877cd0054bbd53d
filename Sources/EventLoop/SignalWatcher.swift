internal import CUV

/// Calls its handler on the loop's thread when the process receives a signal.
///
/// While it exists the signal's default action is disabled. Dropping the last reference closes it.
public final class SignalWatcher: HandleOwner {
  private let loop: EventLoop
  private let handler: () -> Void
  private var memory: HandleMemory<uv_signal_t>?

  /// Watches for `signal`, for example `SIGTERM`.
  ///
  /// - Throws: If the signal can't be watched: SIGKILL, SIGSTOP, or a number that is no signal.
  public init(on loop: EventLoop, signal: Int32, handler: @escaping () -> Void) throws(EventLoopError) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.handler = handler
    let memory = HandleMemory<uv_signal_t>()
    uv_signal_init(loop.uv, memory.pointer)
    self.memory = memory
    memory.setOwner(self)
    let result = uv_signal_start(
      memory.pointer,
      { handle, _ in
        guard let data = handle?.pointee.data else { return }
        Unmanaged<SignalWatcher>.fromOpaque(data).takeUnretainedValue().handler()
      },
      signal
    )
    guard result == 0 else {
      close()
      throw EventLoopError("watching for signal \(signal)", uv: result)
    }
  }

  deinit {
    close()
  }

  /// Stops watching; the signal has its default action again.
  public func close() {
    guard let memory else { return }
    loop.preconditionOnLoop()
    self.memory = nil
    memory.close()
  }

  func closeHandle() { close() }
}
