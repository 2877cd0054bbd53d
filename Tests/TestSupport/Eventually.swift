internal import Dispatch
internal import Glibc

/// The time until the next look at a condition that has been waited for so long: an eighth of it, which costs a test
/// little and leaves the processor to what is waited for, since a look may be a whole scrape.
private func pollInterval(after waited: Duration) -> Int32 {
  Int32(min(max(waited / .milliseconds(8), 2), 20))
}

/// How long a condition is waited for unless a test says otherwise. It only decides how soon a hang is told, and a
/// machine that is busy with other things may stand still for seconds.
public let waitLimit = Duration.seconds(30)

/// Waits until `condition` holds, looking every few milliseconds, and blocks the thread meanwhile.
///
/// An error that `condition` throws counts as "not yet"; the last one is in the error of a missed deadline.
///
/// - Parameters:
///   - what: What is waited for, for the error's text.
///   - limit: How long to wait at most.
/// - Throws: ``TestSupportError`` with code `timedOut`.
public func eventually(
  _ what: String = "a condition",
  within limit: Duration = waitLimit,
  fileID: String = #fileID,
  line: Int = #line,
  _ condition: () throws -> Bool
) throws {
  let start = ContinuousClock.now
  let deadline = start + limit
  var lastError: (any Error)?
  while true {
    // The last look comes after the deadline, however long this thread had to wait for its turn.
    let isLast = ContinuousClock.now >= deadline
    do {
      lastError = nil
      if try condition() { return }
    } catch {
      lastError = error
    }
    if isLast { throw missedDeadline(what, limit, fileID, line, lastError) }
    poll(nil, 0, pollInterval(after: ContinuousClock.now - start))
  }
}

/// Waits until `condition` holds, looking every few milliseconds, without blocking the thread.
///
/// The form for asynchronous tests: same rules as the blocking one. The time for which the pool has no thread for the
/// task does not count, since other tests block its threads.
///
/// - Throws: ``TestSupportError`` with code `timedOut`.
public func eventually(
  _ what: String = "a condition",
  within limit: Duration = waitLimit,
  fileID: String = #fileID,
  line: Int = #line,
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async throws {
  let start = ContinuousClock.now
  var deadline = start + limit
  var lastError: (any Error)?
  while true {
    // The last look comes after the deadline, however long this thread had to wait for its turn.
    let isLast = ContinuousClock.now >= deadline
    do {
      lastError = nil
      if try await condition() { return }
    } catch {
      lastError = error
    }
    if isLast { throw missedDeadline(what, limit, fileID, line, lastError) }
    let pauseStart = ContinuousClock.now
    let pause = Int(pollInterval(after: pauseStart - start))
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(pause)) { continuation.resume() }
    }
    let elapsed = ContinuousClock.now - pauseStart
    deadline += elapsed - .milliseconds(pause)
  }
}

private func missedDeadline(
  _ what: String,
  _ limit: Duration,
  _ fileID: String,
  _ line: Int,
  _ lastError: (any Error)?
) -> TestSupportError {
  let reason = lastError.map { "; the last look failed: \($0)" } ?? ""
  return TestSupportError(.timedOut, "\(fileID):\(line): waited \(limit) in vain until \(what)\(reason)")
}
