internal import CUV
internal import DequeModule
internal import Glibc
internal import Synchronization

/// One thread's event loop: sockets, timers, signals and work of other threads.
///
/// The thread that calls `run` is the loop's thread until `run` returns. Connections, streams, timers and their
/// callbacks belong to that thread alone; `execute`, `stop` and `busyNanoseconds` are the only members for other
/// threads. Before `run` is called, any one thread may set up the loop.
///
/// A *turn* is the work between two polls of the sockets: the callbacks of everything that was ready, then the
/// end-of-turn workers. The clocks do not advance during a turn.
///
/// `@unchecked Sendable`: state that other threads reach is an atomic or behind a mutex; the rest is confined to the
/// loop's thread.
public final class EventLoop: @unchecked Sendable {
  /// The size of the read buffer, in bytes; all readers of a loop share it.
  static let readBufferSize = 64 * 1024
  /// The size of the buffer for plaintext, in bytes: one record of TLS (RFC 8446 section 5.1).
  private static let plaintextBufferSize = 16 * 1024

  /// The number of times that workers may register more workers within one turn before the sockets are polled again.
  private static let maximumPassesPerTurn = 16

  private struct Inbox {
    var work: [@Sendable () -> Void] = []
    /// Whether the wake-up handle is closed; work that is added then never runs.
    var isClosed = false
  }

  let uv: UnsafeMutablePointer<uv_loop_t>
  /// The buffer of all reads; the next read overwrites it.
  package let readBuffer: UnsafeMutableRawBufferPointer
  /// Nil until the first connection with TLS.
  private var madePlaintextBuffer: UnsafeMutableRawBufferPointer?
  private let wakeUp: UnsafeMutablePointer<uv_async_t>
  private let beforeSleep: UnsafeMutablePointer<uv_prepare_t>
  /// Active only while the loop must not sleep: libuv does not block while an idle handle is active.
  private let dontSleep: UnsafeMutablePointer<uv_idle_t>
  private let inbox = Mutex(Inbox())
  /// The busy nanoseconds of all turns that have ended. Written by the loop's thread alone.
  private let busy = Atomic<UInt64>(0)
  /// The running thread's pthread handle as a number, 0 while no thread runs the loop.
  private let thread = Atomic<UInt>(0)

  /// The workers of this turn. Each is removed before it is called, so that it can register again.
  private var workers = UniqueDeque<any EndOfTurnWorker>()
  /// The workers of the next turn.
  private var nextWorkers = UniqueDeque<any EndOfTurnWorker>()
  /// The questions to the resolver that are not answered, by host.
  var lookups: [String: HostLookup.Request] = [:]
  private var cachedNow: UInt64 = 0
  private var cachedWallClock: Int64 = 0
  /// Whether the loop is closing or closed; no handle can be opened on it any more.
  private(set) var isClosed = false

  /// Creates a loop that does not run yet, and makes the process ignore SIGPIPE: writing to a closed connection is an
  /// error of one stream and must not end the process.
  ///
  /// - Throws: If the process has no descriptors left.
  public init() throws(EventLoopError) {
    signal(SIGPIPE, SIG_IGN)
    let uv = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
    var result = uv_loop_init(uv)
    guard result == 0 else {
      uv.deallocate()
      throw EventLoopError("starting an event loop", uv: result)
    }
    let wakeUp = HandleMemory<uv_async_t>()
    result = uv_async_init(uv, wakeUp.pointer) { EventLoop.of($0?.pointee.loop)?.runInbox() }
    guard result == 0 else {
      wakeUp.discard()
      uv_loop_close(uv)
      uv.deallocate()
      throw EventLoopError("starting an event loop's wake-up", uv: result)
    }
    let beforeSleep = HandleMemory<uv_prepare_t>()
    uv_prepare_init(uv, beforeSleep.pointer)
    let dontSleep = HandleMemory<uv_idle_t>()
    uv_idle_init(uv, dontSleep.pointer)
    self.uv = uv
    self.wakeUp = wakeUp.pointer
    self.beforeSleep = beforeSleep.pointer
    self.dontSleep = dontSleep.pointer
    self.readBuffer = .allocate(byteCount: Self.readBufferSize, alignment: 16)
    uv.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    uv_prepare_start(beforeSleep.pointer) { handle in
      // The loop is alive: it runs.
      guard let data = handle?.pointee.loop?.pointee.data else { return }
      Unmanaged<EventLoop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.finishTurn() }
    }
  }

  deinit {
    close()
  }

  /// The buffer of all decrypted reads; the next one overwrites it.
  package var plaintextBuffer: UnsafeMutableRawBufferPointer {
    if let madePlaintextBuffer { return madePlaintextBuffer }
    let made = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.plaintextBufferSize, alignment: 16)
    madePlaintextBuffer = made
    return made
  }

  /// Runs the loop on the calling thread, which is the loop's thread until this returns, after `stop`.
  public func run() {
    precondition(!isClosed, "EventLoop.run was called on a closed loop")
    let (claimed, _) = thread.compareExchange(
      expected: 0,
      desired: Self.currentThread,
      ordering: .sequentiallyConsistent
    )
    precondition(claimed, "EventLoop.run was called while the loop runs already")
    cachedNow = 0
    cachedWallClock = 0
    uv_run(uv, UV_RUN_DEFAULT)
    // libuv does not finish the last turn of a loop that is stopped.
    runWorkers()
    beginNextTurn()
    runWorkers()
    countBusyTime()
    thread.store(0, ordering: .sequentiallyConsistent)
  }

  /// Makes `run` return after the current turn. Any thread may call it, also before `run`, which then returns after its
  /// first turn.
  public func stop() {
    execute { [weak self] in
      if let self { uv_stop(uv) }
    }
  }

  /// Runs `work` on the loop's thread, in the order of the calls. Any thread may call it. The queue has no bound, so it
  /// is for rare events such as an operator's request.
  ///
  /// Work that is added after `close` never runs.
  public func execute(_ work: @escaping @Sendable () -> Void) {
    inbox.withLock { inbox in
      guard !inbox.isClosed else { return }
      inbox.work.append(work)
      // Under the lock, so that the handle can't be closed in between.
      if inbox.work.count == 1 { uv_async_send(wakeUp) }
    }
  }

  /// Closes every open handle of the loop, and the loop itself. Streams and watchers notify their delegates as if each
  /// had been closed separately. Call it when `run` has returned; dropping the last reference does the same.
  public func close() {
    guard !isClosed else { return }
    precondition(
      thread.load(ordering: .sequentiallyConsistent) == 0,
      "EventLoop.close was called while the loop runs; stop it and let run return first"
    )
    isClosed = true
    inbox.withLock { inbox in
      inbox.isClosed = true
      inbox.work = []
    }
    // Workers report failures, and delegates may open another handle while they are notified.
    repeat {
      closeAllHandles()
      runWorkers()
      beginNextTurn()
    } while uv_run(uv, UV_RUN_DEFAULT) != 0 || !workers.isEmpty
    let result = uv_loop_close(uv)
    precondition(result == 0, "libuv handles were left open on a closing loop")
    uv.deallocate()
    readBuffer.deallocate()
    madePlaintextBuffer?.deallocate()
  }

  /// Traps if the loop is run by another thread than the calling one.
  @inline(__always)
  public func preconditionOnLoop() {
    let running = thread.load(ordering: .relaxed)
    precondition(
      running == 0 || running == Self.currentThread,
      "something that belongs to an event loop was used from another thread; hand it over with EventLoop.execute"
    )
  }

  /// The monotonic time in nanoseconds, read once per turn at the first use. For the loop's thread.
  public var now: UInt64 {
    beginTurn()
    return cachedNow
  }

  /// Reads the clock if nobody has done so in this turn: the first thing that a callback of libuv does.
  @inline(__always)
  func beginTurn() {
    if cachedNow == 0 { cachedNow = Self.nanoseconds(of: CLOCK_MONOTONIC) }
  }

  /// The wall clock in milliseconds since the Unix epoch, read once per turn at the first use. For the loop's thread.
  public var wallClockMilliseconds: Int64 { wallClockMicroseconds / 1000 }

  /// The wall clock in microseconds since the Unix epoch, read once per turn at the first use. For the loop's thread.
  public var wallClockMicroseconds: Int64 {
    if cachedWallClock == 0 {
      cachedWallClock = Int64(Self.nanoseconds(of: CLOCK_REALTIME) / 1000)
    }
    return cachedWallClock
  }

  private static func nanoseconds(of clock: clockid_t) -> UInt64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// Calls `worker` once before the loop sleeps, and retains it until then. For the loop's thread. A worker must
  /// register once per turn at most: the loop does not check for duplicates.
  public func atEndOfTurn(_ worker: any EndOfTurnWorker) {
    workers.append(worker)
  }

  /// Calls `worker` once at the end of the next turn, which begins without sleeping, and retains it until then. For
  /// work that is better combined with that of the sockets that are readable by then. For the loop's thread.
  public func atEndOfNextTurn(_ worker: any EndOfTurnWorker) {
    nextWorkers.append(worker)
  }

  /// The nanoseconds that the loop has spent working instead of waiting, over all turns that have ended. Any thread may
  /// read it. A turn that begins with something rare, such as a signal or a new connection, counts from the first use
  /// of the clock.
  ///
  /// Not libuv's own measurement, which takes a mutex and reads the clock twice for each poll.
  public var busyNanoseconds: UInt64 { busy.load(ordering: .relaxed) }

  private static var currentThread: UInt {
    // Never zero: it is the address of the thread's control block.
    pthread_self()
  }

  static func of(_ uv: UnsafeMutablePointer<uv_loop_t>?) -> EventLoop? {
    uv?.pointee.data.map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
  }

  private func runInbox() {
    let work = inbox.withLock { inbox in
      let work = inbox.work
      inbox.work = []
      return work
    }
    beginTurn()
    for item in work { item() }
  }

  /// Ends a turn. libuv calls it right before it polls for I/O, and maybe sleeps.
  private func finishTurn() {
    // Workers of the next turn may be all that there is in it.
    if !workers.isEmpty { beginTurn() }
    runWorkers()
    beginNextTurn()
    if workers.isEmpty {
      uv_idle_stop(dontSleep)
    } else {
      uv_idle_start(dontSleep) { _ in }
    }
    countBusyTime()
  }

  /// Counts the turn that ends, whose time is over.
  private func countBusyTime() {
    if cachedNow != 0 {
      let spent = Self.nanoseconds(of: CLOCK_MONOTONIC) &- cachedNow
      busy.store(busy.load(ordering: .relaxed) &+ spent, ordering: .relaxed)
    }
    cachedNow = 0
    cachedWallClock = 0
  }

  private func beginNextTurn() {
    while let worker = nextWorkers.popFirst() { workers.append(worker) }
  }

  private func runWorkers() {
    var passes = 0
    while !workers.isEmpty, passes < Self.maximumPassesPerTurn {
      for _ in 0..<workers.count { workers.popFirst()?.endOfTurn() }
      passes += 1
    }
  }

  private func closeAllHandles() {
    uv_walk(
      uv,
      { handle, _ in
        guard let handle, uv_is_closing(handle) == 0 else { return }
        if let data = handle.pointee.data {
          let object = Unmanaged<AnyObject>.fromOpaque(data).takeUnretainedValue()
          guard let owner = object as? any HandleOwner else { fatalError("a libuv handle's data is not its owner") }
          owner.closeHandle()
        } else {
          uv_close(handle) { free($0) }
        }
      },
      nil
    )
  }
}
