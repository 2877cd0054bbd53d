internal import CMicroHTTPD
internal import Glibc
internal import Synchronization

/// The thread on which a daemon reads, answers and writes, and on which its connections' deadlines are kept.
///
/// The library's own thread has no deadline for a whole request: its timeout restarts with each byte. So the library
/// runs here, one turn at a time.
final class DaemonThread: Sendable {
  /// The pause in accepting when the process has no descriptor left and none of the listener's can be closed.
  private static let starvedPauseMilliseconds: Int32 = 100

  /// The new thread's context. `@unchecked Sendable`: handed over by pthread_create, after which only the new
  /// thread uses it, until it has been joined.
  private final class Work: @unchecked Sendable {
    let daemon: OpaquePointer
    let epoll: Int32
    let wake: Int32
    let keeper: ConnectionKeeper

    init(daemon: OpaquePointer, epoll: Int32, wake: Int32, keeper: ConnectionKeeper) {
      self.daemon = daemon
      self.epoll = epoll
      self.wake = wake
      self.keeper = keeper
    }
  }

  /// The end of a pipe that becomes readable when ``stop()`` writes to the other one.
  private let wake: Int32
  private let stopping: Int32
  private let thread: Mutex<pthread_t?>

  /// Starts the thread; nil when descriptors, memory or threads are used up.
  init?(running daemon: OpaquePointer, keeper: ConnectionKeeper) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let epoll = multistore_mhd_epoll(daemon)
    let work = Unmanaged.passRetained(Work(daemon: daemon, epoll: epoll, wake: ends[0], keeper: keeper))
    var thread = pthread_t()
    let code = pthread_create(
      &thread,
      nil,
      { argument in
        if let argument { DaemonThread.run(Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()) }
        return nil
      },
      work.toOpaque()
    )
    guard code == 0 else {
      work.release()
      ends.forEach { close($0) }
      return nil
    }
    wake = ends[0]
    stopping = ends[1]
    self.thread = Mutex(thread)
  }

  /// Waits for the current turn and ends the thread. Call it once.
  func stop() {
    guard let thread = thread.withLock({ $0.take() }) else { return }
    // A child process that was just forked may hold this end too, so that closing it need not wake the thread.
    _ = write(stopping, [0], 1)
    pthread_join(thread, nil)
    close(stopping)
    close(wake)
  }

  private static func run(_ work: Work) {
    // Signals are for the main loop, and writing to a closed connection is an error instead of SIGPIPE.
    var signals = sigset_t()
    sigfillset(&signals)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    multistore_mhd_name_this_thread("http")
    var entries = [
      pollfd(fd: work.wake, events: Int16(POLLIN), revents: 0),
      pollfd(fd: work.epoll, events: Int16(POLLIN), revents: 0),
    ]
    var hasClosed = false
    while true {
      // A turn that has closed a connection is followed by another at once: after connections or descriptors had run
      // out, the library listens again only then.
      poll(&entries, nfds_t(entries.count), hasClosed ? 0 : timeout(of: work))
      guard entries[0].revents == 0 else { return }
      let keeper = work.keeper
      let (accepted, closed) = (keeper.acceptedCount, keeper.closedCount)
      keeper.closeOverdue()
      MHD_run(work.daemon)
      keeper.dispatcher.endTurn()
      hasClosed = keeper.closedCount != closed
      let isStarved =
        entries[1].revents != 0 && keeper.isEmpty && !hasClosed && keeper.acceptedCount == accepted
      if isStarved { poll(&entries, 1, starvedPauseMilliseconds) }
    }
  }

  /// Returns the milliseconds until the next deadline; negative for none.
  private static func timeout(of work: Work) -> Int32 {
    var timeout = Int64.max
    var wanted: CUnsignedLongLong = 0
    if MHD_get_timeout(work.daemon, &wanted) == .YES { timeout = Int64(clamping: wanted) }
    if let deadline = work.keeper.nextDeadline {
      let left = ContinuousClock.now.duration(to: deadline).components
      // One more, so that the deadline has passed when the thread wakes.
      timeout = min(timeout, max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1))
    }
    return timeout == .max ? -1 : Int32(clamping: timeout)
  }
}
