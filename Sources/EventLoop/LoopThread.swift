internal import CUV
internal import Glibc
internal import Synchronization

/// The thread that runs a loop.
///
/// It is started by its initializer and joined with ``join()``.
public final class LoopThread: Sendable {
  /// The context of the new thread.
  private final class Start: Sendable {
    let name: String
    let loop: EventLoop

    init(name: String, loop: EventLoop) {
      self.name = name
      self.loop = loop
    }
  }

  private let thread: Mutex<pthread_t?>

  /// Starts a thread that runs `loop` until the loop is stopped.
  ///
  /// - Parameter name: The name that `top -H` shows; the system keeps 15 bytes of it.
  /// - Throws: ``EventLoopError`` if the system has no thread for it.
  public init(running loop: EventLoop, name: String) throws(EventLoopError) {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, loop: loop))
    let code = pthread_create(
      &thread,
      nil,
      { argument in
        guard let argument else { return nil }
        let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        multistore_name_this_thread(String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
        start.loop.run()
        return nil
      },
      start.toOpaque()
    )
    guard code == 0 else {
      start.release()
      throw EventLoopError("starting the thread \(name)", uv: Int32(-code))
    }
    self.thread = Mutex(thread)
  }

  /// Waits until the loop has stopped. A second call returns at once.
  public func join() {
    guard let thread = thread.withLock({ $0.take() }) else { return }
    pthread_join(thread, nil)
  }
}
