// A lock with a condition variable. Synchronization's Mutex has none, and Foundation's costs more memory than the whole
// process should use.

internal import Glibc

/// State behind a lock, and a way to wait for its change.
///
/// `@unchecked Sendable`: `state` is accessed only while `mutex` is held, and the two pthread objects may be shared by
/// threads. `@safe`: no pointer leaves the class.
@safe package final class Monitor<State: Sendable>: @unchecked Sendable {
  private var state: State
  // Allocated separately, because pthread objects must not move. Freed in deinit, when no thread can be waiting: a
  // waiting thread holds a reference.
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  /// A monitor of `state`.
  package init(_ state: State) {
    self.state = state
    unsafe mutex = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe Monitor.expectSuccess(pthread_mutex_init(mutex, nil))
    var attributes = pthread_condattr_t()
    unsafe Monitor.expectSuccess(pthread_condattr_init(&attributes))
    // Deadlines must not move when the wall clock is set.
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
  package func withLock<Result>(_ body: (inout State) -> Result) -> Result {
    unsafe Monitor.expectSuccess(pthread_mutex_lock(mutex))
    defer { unsafe Monitor.expectSuccess(pthread_mutex_unlock(mutex)) }
    return body(&state)
  }

  /// Makes all waiting threads check the state again.
  package func wakeAll() {
    unsafe Monitor.expectSuccess(pthread_cond_broadcast(changed))
  }

  /// Waits until `body` returns a result; it is called at once and after each call of ``wakeAll()``.
  ///
  /// - Parameter timeout: The longest time to wait; nil for no limit.
  /// - Returns: The result of `body`; nil after a timeout.
  package func wait<Result>(atMost timeout: Duration? = nil, for body: (inout State) -> Result?) -> Result? {
    let deadline = timeout.map(Monitor.timeAfter)
    unsafe Monitor.expectSuccess(pthread_mutex_lock(mutex))
    defer { unsafe Monitor.expectSuccess(pthread_mutex_unlock(mutex)) }
    while true {
      // The access to the state ends before the wait: other threads change the state meanwhile, and an optimised
      // build may keep a copy of it for the duration of an access.
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
    precondition(code == 0, "A pthread call that cannot fail when used rightly failed: \(SystemError(code: code)).")
  }
}
