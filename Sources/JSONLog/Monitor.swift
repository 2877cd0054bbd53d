// A lock that one can wait behind. Synchronization's Mutex has no condition variable, and Foundation's costs more
// memory than the whole process should take.

internal import Glibc

/// State behind a lock, and waiting for it to change.
///
/// `@unchecked Sendable`: `state` is touched only while `mutex` is held, and the two pthread objects are made for being
/// shared by threads. `@safe`: no pointer leaves the class.
@safe final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  // Allocated for themselves, because pthread objects must not move. Freed in deinit, when nobody can be waiting: a
  // waiting thread holds a reference.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  init(_ state: State) {
    self.state = state
    unsafe mutex = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe Monitor.expectSuccess(pthread_mutex_init(mutex, nil))
    var attributes = pthread_condattr_t()
    unsafe Monitor.expectSuccess(pthread_condattr_init(&attributes))
    // Deadlines must not move when somebody sets the clock.
    unsafe Monitor.expectSuccess(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
    unsafe Monitor.expectSuccess(pthread_cond_init(changed, &attributes))
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(mutex)
    unsafe changed.deallocate()
    unsafe mutex.deallocate()
  }

  /// Reads or changes the state.
  func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    unsafe Monitor.expectSuccess(pthread_mutex_lock(mutex))
    defer { unsafe Monitor.expectSuccess(pthread_mutex_unlock(mutex)) }
    return body(&state)
  }

  /// Has everybody who waits look at the state again.
  func wakeAll() {
    unsafe Monitor.expectSuccess(pthread_cond_broadcast(changed))
  }

  /// Waits until `body` has something to return; it is asked at once, and whenever somebody calls ``wakeAll()``.
  ///
  /// - Parameter timeout: How long at most; nil for as long as it takes.
  /// - Returns: What `body` returned, or nil if the time was up before.
  func wait<Result>(atMost timeout: Duration? = nil, for body: (inout State) -> Result?) -> Result? {
    let deadline = timeout.map(Monitor.timeAfter)
    unsafe Monitor.expectSuccess(pthread_mutex_lock(mutex))
    defer { unsafe Monitor.expectSuccess(pthread_mutex_unlock(mutex)) }
    while true {
      // The access to the state ends before the wait: others change the state meanwhile, and an optimised build may
      // keep a copy of it for as long as an access lasts.
      if let result = body(&state) { return result }
      guard var deadline else {
        // The mutex is held.
        unsafe Monitor.expectSuccess(pthread_cond_wait(changed, mutex))
        continue
      }
      // As above; the time is a local variable.
      if unsafe pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return body(&state) }
    }
  }

  private static func timeAfter(_ duration: Duration) -> timespec {
    var now = timespec()
    // The pointer is to a local variable and not kept by the call.
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    let (seconds, attoseconds) = max(duration, .zero).components
    let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(
      tv_sec: now.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000,
      tv_nsec: nanoseconds % 1_000_000_000
    )
  }

  private static func expectSuccess(_ code: Int32) {
    precondition(code == 0, "A pthread call that cannot fail when used rightly failed: \(SystemError.text(code)).")
  }
}
