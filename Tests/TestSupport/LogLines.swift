internal import Foundation

/// One line of a process' output, with its fields if it is a JSON object.
public struct LogLine: Sendable, CustomStringConvertible {
  /// The line without its end.
  public let text: String
  /// The line as JSON; nil if it is something else.
  public let json: JSONValue?

  init(_ text: String) {
    self.text = text
    json = text.hasPrefix("{") ? try? JSONValue(parsing: text) : nil
  }

  /// A top-level field.
  public subscript(key: String) -> JSONValue? { json?[key] }

  /// What the line says: its `message`, or `exception.message` for an exception; empty if it has neither.
  public var message: String { self["message"]?.string ?? self["exception.message"]?.string ?? "" }

  /// The line itself.
  public var description: String { text }
}

/// The lines that come out of a pipe, gathered as they come and kept. Any thread may read them.
public final class LogLines: @unchecked Sendable {
  // `condition` guards `lines` and `hasEnded`: each is touched only between its lock and unlock.
  private let condition = NSCondition()
  private var lines: [LogLine] = []
  private var hasEnded = false

  /// Gathers what is read from a descriptor until its end, on a thread of its own, and closes it.
  init(takingOwnership descriptor: Int32) {
    // The thread keeps the object for as long as the pipe is open; a process that ends closes it.
    Thread.detachNewThread { [self] in
      var rest: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while true {
        let count = Foundation.read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        rest += buffer[..<count]
        take(linesOf: &rest)
      }
      close(descriptor)
      condition.withLock {
        if !rest.isEmpty { lines.append(LogLine(String(decoding: rest, as: UTF8.self))) }
        hasEnded = true
        condition.broadcast()
      }
    }
  }

  /// The lines so far.
  public var all: [LogLine] { condition.withLock { lines } }

  /// The lines so far as one text.
  public var text: String { all.map { "\($0.text)\n" }.joined() }

  /// The first line for which `matches` holds, waited for; earlier lines count as well.
  ///
  /// - Throws: ``TestSupportError``: `timedOut`, or `closed` if the output ended without one, with the last lines.
  @discardableResult
  public func wait(
    for what: String,
    within limit: Duration = waitLimit,
    where matches: (LogLine) -> Bool
  ) throws -> LogLine {
    let deadline = Date(timeIntervalSinceNow: limit / .seconds(1))
    return try condition.withLock {
      var looked = 0
      while true {
        if let found = lines[looked...].first(where: matches) { return found }
        looked = lines.count
        let last = lines.suffix(20).map(\.text).joined(separator: "\n")
        if hasEnded { throw TestSupportError(.closed, "the output ended without \(what); its last lines:\n\(last)") }
        guard condition.wait(until: deadline) || lines.count > looked || hasEnded else {
          throw TestSupportError(.timedOut, "no \(what) within \(limit); the last lines:\n\(last)")
        }
      }
    }
  }

  /// Waits until the output has ended, so that ``all`` is complete.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  public func waitForEnd(within limit: Duration = waitLimit) throws {
    try eventually("the output has ended", within: limit) { condition.withLock { hasEnded } }
  }

  private func take(linesOf bytes: inout [UInt8]) {
    guard let end = bytes.lastIndex(of: 10) else { return }
    let complete = bytes[..<end].split(separator: 10, omittingEmptySubsequences: false)
    let new = complete.map { LogLine(String(decoding: $0, as: UTF8.self)) }
    bytes.removeFirst(end + 1)
    condition.withLock {
      lines += new
      condition.broadcast()
    }
  }
}

/// A pipe whose reading end is gathered and whose writing end is for a child.
struct CapturedPipe {
  let lines: LogLines
  /// To be closed once the child has it.
  let writingEnd: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw TestSupportError(.system, "no pipe: \(lastSystemError())") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    lines = LogLines(takingOwnership: ends[0])
    writingEnd = ends[1]
  }
}
