import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite struct EventLoopTests {
  @Test func runsWorkOfOtherThreadsInOrder() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let loop = harness.loop
    let seen = Mutex<[Int]>([])
    let thread = try JoinableThread {
      for number in 0..<1000 {
        loop.execute {
          loop.preconditionOnLoop()
          seen.withLock { $0.append(number) }
        }
      }
      loop.stop()
    }
    harness.run()
    thread.join()
    #expect(seen.withLock { $0 } == Array(0..<1000))
  }

  @Test func crashesOnAnotherThread() async {
    await #expect(processExitsWith: .failure) {
      let loop = try EventLoop()
      loop.execute {
        // The other thread's misuse ends the process; without it the loop would run for ever.
        let thread = try? JoinableThread { loop.preconditionOnLoop() }
        thread?.join()
        exit(0)
      }
      loop.run()
    }
  }

  @Test func stopsBeforeItRuns() throws {
    let loop = try EventLoop()
    loop.stop()
    loop.run()
    loop.close()
  }

  @Test func callsWorkersOncePerTurn() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let worker = CountingWorker()
    harness.loop.atEndOfTurn(worker)
    harness.loop.atEndOfTurn(worker)
    // A worker that registers another has it called before the loop sleeps.
    worker.onCall = { [unowned worker] count in
      switch count {
      case 1: harness.loop.atEndOfTurn(worker)
      case 3: harness.loop.stop()
      default: break
      }
    }
    harness.run()
    #expect(worker.count == 3)
  }

  /// Workers that go on registering themselves can't keep the loop from its timers, nor does it sleep meanwhile.
  @Test func workersDoNotStarveTheRest() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let worker = CountingWorker()
    let timer = LoopTimer(on: harness.loop) {
      worker.onCall = { _ in }
      harness.loop.stop()
    }
    worker.onCall = { [unowned worker] count in
      harness.loop.atEndOfTurn(worker)
      // More calls than one turn has: a loop that sleeps between turns does not get here.
      if count == 100 { timer.schedule(after: .zero) }
    }
    harness.loop.atEndOfTurn(worker)
    harness.run()
    #expect(worker.count > 100)
  }

  /// What is left for the next turn comes after the callbacks of that turn, and the loop does not sleep before.
  @Test func callsWorkersOfTheNextTurn() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let worker = CountingWorker()
    var heard: [String] = []
    let timer = LoopTimer(on: harness.loop) { heard.append("timer") }
    worker.onCall = { [unowned worker] count in
      heard.append("worker")
      if count == 1 {
        timer.schedule(after: .zero)
        harness.loop.atEndOfNextTurn(worker)
      } else {
        harness.loop.stop()
      }
    }
    harness.loop.atEndOfTurn(worker)
    harness.run()
    #expect(heard == ["worker", "timer", "worker"])
  }

  /// The loop that is stopped meanwhile does it at once.
  @Test func callsWorkersOfTheNextTurnWhenItStops() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    // Touched by the thread that runs the loop alone, which is this one.
    nonisolated(unsafe) let worker = CountingWorker()
    let loop = harness.loop
    loop.stop()
    loop.execute { loop.atEndOfNextTurn(worker) }
    harness.run()
    #expect(worker.count == 1)
  }

  @Test func clocksStandStillWithinATurn() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let loop = harness.loop
    var first: [UInt64] = []
    let timer = LoopTimer(on: loop) {
      let before = (loop.now, loop.wallClockMilliseconds)
      beBusy(for: .milliseconds(3))
      #expect(before == (loop.now, loop.wallClockMilliseconds))
      first.append(loop.now)
      if first.count == 2 { loop.stop() }
    }
    timer.schedule(after: .milliseconds(1), repeating: .milliseconds(1))
    harness.run()
    #expect(first[1] - first[0] >= 3_000_000)
    #expect(abs(loop.wallClockMilliseconds / 1000 - Int64(time(nil))) < 60)
  }

  @Test func measuresHowBusyItIs() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    // Measured from right before the loop waits: the machine may keep this thread from getting there.
    var waiting = ContinuousClock.now
    var waited = Duration.zero
    let worker = CountingWorker()
    worker.onCall = { _ in waiting = .now }
    harness.loop.atEndOfTurn(worker)
    let timer = LoopTimer(on: harness.loop) {
      waited = .now - waiting
      beBusy(for: .milliseconds(30))
      harness.loop.stop()
    }
    timer.schedule(after: .milliseconds(200))
    let start = ContinuousClock.now
    harness.run()
    let elapsed = ContinuousClock.now - start
    let busy = harness.loop.busyNanoseconds
    // The wait for the timer is not in it.
    #expect(busy >= 30_000_000)
    #expect(.nanoseconds(Int64(busy)) <= elapsed - waited + .milliseconds(50))
    #expect(harness.loop.busyNanoseconds == busy)
  }

  /// Stores' connections gather commands so, and write them in a turn in which nothing else happens.
  @Test func countsWorkersOfATurnWithoutEvents() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let worker = CountingWorker()
    worker.onCall = { _ in
      beBusy(for: .milliseconds(30))
      harness.loop.stop()
    }
    harness.loop.atEndOfNextTurn(worker)
    harness.run()
    #expect(harness.loop.busyNanoseconds >= 30_000_000)
  }

  @Test func timersFireOnceOrAgain() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var once = 0
    var cancelled = 0
    var repeated = 0
    let first = LoopTimer(on: harness.loop) { once += 1 }
    let second = LoopTimer(on: harness.loop) { cancelled += 1 }
    let third = LoopTimer(on: harness.loop) {
      repeated += 1
      if repeated == 5 { harness.loop.stop() }
    }
    let start = ContinuousClock.now
    first.schedule(after: .microseconds(100))
    second.schedule(after: .milliseconds(2))
    second.cancel()
    third.schedule(after: .milliseconds(5), repeating: .milliseconds(5))
    harness.run()
    #expect(once == 1)
    #expect(cancelled == 0)
    #expect(repeated == 5)
    #expect(ContinuousClock.now - start >= .milliseconds(25))
  }

  /// libuv's clock has whole milliseconds; what is scheduled late in one of them may not lose the beginning of it.
  @Test func aTimerNeverFiresEarly() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var start = 0
    var lasted: [Int] = []
    var timer: LoopTimer?
    let schedule = {
      repeat { start = Self.monotonicNanoseconds } while start % 1_000_000 < 900_000
      timer?.schedule(after: .milliseconds(2))
    }
    timer = LoopTimer(on: harness.loop) {
      lasted.append(Self.monotonicNanoseconds - start)
      if lasted.count < 10 { schedule() } else { harness.loop.stop() }
    }
    schedule()
    harness.run()
    timer?.close()
    #expect(lasted.allSatisfy { $0 >= 2_000_000 }, "\(lasted)")
  }

  private static var monotonicNanoseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  @Test func aDroppedTimerDoesNotFire() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var fired = 0
    var dropped: LoopTimer? = LoopTimer(on: harness.loop) { fired += 1 }
    dropped?.schedule(after: .milliseconds(1))
    let stopper = LoopTimer(on: harness.loop) { harness.loop.stop() }
    stopper.schedule(after: .milliseconds(20))
    dropped = nil
    harness.run()
    #expect(fired == 0)
  }

  @Test func hearsSignals() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var count = 0
    let watcher = try SignalWatcher(on: harness.loop, signal: SIGWINCH) {
      count += 1
      harness.loop.stop()
    }
    kill(getpid(), SIGWINCH)
    harness.run()
    #expect(count == 1)
    watcher.close()
    #expect(throws: EventLoopError.self) { try SignalWatcher(on: harness.loop, signal: SIGKILL) {} }
  }

  @Test func hearsOfChangesInADirectoryOncePerTurn() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    var turns: [UInt64] = []
    let watcher = try DirectoryWatcher(on: harness.loop, path: harness.folder) {
      turns.append(harness.loop.now)
      harness.loop.stop()
    }
    for name in ["a", "b", "c"] { close(open(harness.folder + "/" + name, O_CREAT | O_WRONLY, 0o600)) }
    rename(harness.folder + "/a", harness.folder + "/b")
    harness.run()
    #expect(turns.count == 1)
    watcher.close()
    for name in ["b", "c"] { unlink(harness.folder + "/" + name) }
    let error = #expect(throws: EventLoopError.self) {
      try DirectoryWatcher(on: harness.loop, path: harness.folder + "/missing") {}
    }
    #expect(error?.code == ENOENT)
  }

  @Test func closesWhatIsLeftOpen() throws {
    let harness = try LoopHarness()
    defer { harness.finish() }
    let delegate = RecordingDelegate()
    let timer = LoopTimer(on: harness.loop) {}
    timer.schedule(after: .seconds(100))
    let listener = try Listener(on: harness.loop, address: .unix(path: harness.folder + "/socket")) { _ in }
    let (a, b) = try harness.pair(delegate, delegate)
    a.write([UInt8](repeating: 0, count: 1_000_000).span)
    b.startReading()
    harness.loop.close()
    #expect(delegate.closes == [nil, nil])
    #expect(access(harness.folder + "/socket", F_OK) != 0)
    // Closing twice, or what the loop has closed, does nothing.
    harness.loop.close()
    listener.close()
    timer.close()
    a.close()
  }
}

/// Works on nothing, so that a turn takes its time.
func beBusy(for duration: Duration) {
  let end = ContinuousClock.now + duration
  while ContinuousClock.now < end {}
}

final class CountingWorker: EndOfTurnWorker {
  var count = 0
  var onCall: (Int) -> Void = { _ in }

  func endOfTurn() {
    count += 1
    onCall(count)
  }
}

/// A thread that a test waits for.
final class JoinableThread {
  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) throws {
    let box = Unmanaged.passRetained(Body(run: body))
    let result = pthread_create(
      &thread,
      nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      },
      box.toOpaque()
    )
    guard result == 0 else {
      box.release()
      throw POSIXFailure(call: "pthread_create", code: result)
    }
  }

  func join() {
    pthread_join(thread, nil)
  }

  private final class Body {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
      self.run = run
    }
  }
}
