internal import Dispatch
internal import Glibc

/// How often a condition is looked at. Short beside any deadline, long beside a look.
private let pollIntervalMilliseconds: Int32 = 2

/// How long a condition is waited for unless a test says otherwise. It only decides how soon a hang is told, and a
/// machine that is busy with other things may stand still for seconds.
public let waitLimit = Duration.seconds(30)

/// Waits until `condition` holds, looking every two milliseconds, and blocks the thread meanwhile.
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
  let deadline = ContinuousClock.now + limit
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
    poll(nil, 0, pollIntervalMilliseconds)
  }
}

/// Waits until `condition` holds, looking every two milliseconds, without blocking the thread.
///
/// The form for asynchronous tests: same rules as the blocking one.
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
  let deadline = ContinuousClock.now + limit
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
    await withCheckedContinuation { continuation in
      let wait = DispatchTimeInterval.milliseconds(Int(pollIntervalMilliseconds))
      DispatchQueue.global().asyncAfter(deadline: .now() + wait) { continuation.resume() }
    }
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
