internal import Threads

/// The writer thread. Its state is confined to that thread once ``start()`` has been called.
///
/// `@unchecked Sendable`: it is created on the thread that opens the sink and passed to the new one by ``start()``,
/// after which only the new thread has a reference.
final class LogWriter: @unchecked Sendable {
  /// The most bytes of one write(2), unless a single line is longer. Progress is counted after each, and a failure
  /// loses the lines of one.
  private static let chunkBytes = 64 * 1024

  private static let newline = UInt8(ascii: "\n")

  private let queue: Monitor<LogQueue>
  private let path: String?
  private var file: LogFile
  /// Whether the last write ended in the middle of a line, because of an error.
  private var isMidLine = false
  /// Whether a failure to reopen the file has been reported on standard error.
  private var hasComplained = false

  /// - Parameters:
  ///   - queue: The source of the lines.
  ///   - path: The file to write to; nil for standard error.
  init(queue: Monitor<LogQueue>, path: String?) throws(JSONLogError) {
    self.queue = queue
    self.path = path
    if let path { file = try LogFile(path: path) } else { file = .standardError() }
  }

  /// Starts the thread, which retains the writer and ends when the queue is closed and empty.
  func start() throws(JSONLogError) {
    do throws(SystemError) {
      // The sink waits for its end through the queue's state.
      try DetachedThread.start { [self] in run() }
    } catch {
      throw JSONLogError(operation: .startThread, code: error.code)
    }
  }

  private func run() {
    var spare: [UInt8] = []
    while case .lines(var lines, let reopen)? = queue.wait(for: { $0.takeWork(spare: spare) }) {
      spare = []
      if reopen { reopenFile() }
      write(lines)
      if lines.capacity <= LogQueue.keptCapacityBytes {
        lines.removeAll(keepingCapacity: true)
        spare = lines
      }
    }
    queue.withLock { $0.finish() }
    queue.wakeAll()
  }

  private func write(_ lines: [UInt8]) {
    var rest = lines[...]
    while !rest.isEmpty {
      let end = LogWriter.chunkEnd(rest)
      write(chunk: rest[..<end])
      rest = rest[end...]
    }
  }

  /// Writes whole lines. After an error the rest of them is dropped: keeping old lines would fill the queue and keep
  /// out new ones.
  private func write(chunk: ArraySlice<UInt8>) {
    if isMidLine && file.write([LogWriter.newline]) == 1 { isMidLine = false }
    let count = isMidLine ? 0 : file.write(chunk)
    let end = chunk.startIndex + count
    if count > 0 { isMidLine = chunk[end - 1] != LogWriter.newline }
    let written = chunk[..<end].count { $0 == LogWriter.newline }
    let lost = chunk[end...].count { $0 == LogWriter.newline }
    queue.withLock { $0.settle(written: written, lost: lost, bytes: chunk.count) }
    queue.wakeAll()
  }

  /// Returns the end of the last line that fits a chunk, or of the first one if it alone does not fit.
  private static func chunkEnd(_ lines: ArraySlice<UInt8>) -> Int {
    if lines.count <= chunkBytes { return lines.endIndex }
    let limit = lines.startIndex + chunkBytes
    if let last = lines[..<limit].lastIndex(of: newline) { return last + 1 }
    return (lines[limit...].firstIndex(of: newline) ?? lines.endIndex - 1) + 1
  }

  private func reopenFile() {
    guard let path else { return }
    do {
      file = try LogFile(path: path)
      // After a rotation the unfinished line is in the old file.
      if file.isEmpty { isMidLine = false }
      hasComplained = false
      queue.withLock { $0.countReopen(succeeded: true) }
    } catch {
      queue.withLock { $0.countReopen(succeeded: false) }
      if !hasComplained {
        hasComplained = true
        _ = LogFile.standardError().write(Array("\(error); the file opened before stays in use\n".utf8)[...])
      }
    }
    queue.wakeAll()
  }
}
