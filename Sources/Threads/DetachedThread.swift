internal import Glibc

/// A thread that is not joined: its owner waits for its end with a deadline, through a ``Monitor``.
package enum DetachedThread {
  private final class Work: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
      self.run = run
    }
  }

  /// Starts a thread that does some work, retained until it returns, and ends.
  ///
  /// No signal is handled on it: a closed pipe or a limit on the size of files is an error of the call, and does not
  /// end the process.
  package static func start(_ work: @escaping @Sendable () -> Void) throws(SystemError) {
    let retained = unsafe Unmanaged.passRetained(Work(work))
    var attributes = pthread_attr_t()
    // The attributes are a local variable, and no call keeps a pointer to them.
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    // The one reference retained above is consumed by the one thread, or below if there is none.
    let code = unsafe pthread_create(
      &thread,
      &attributes,
      { context in
        // All signals are blocked, before any system call of the work.
        var signals = sigset_t()
        unsafe sigfillset(&signals)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        if let context = unsafe context { unsafe Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      },
      retained.toOpaque()
    )
    if code != 0 {
      unsafe retained.release()
      throw SystemError(code: code)
    }
  }
}
