import Dispatch
import Foundation
import Glibc
import JSONLog
import Testing

@Suite struct JSONLogSinkTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func fileSink(_ name: String = "log") throws -> JSONLogSink {
    try JSONLogSink(destination: .file(path: folder.path(name)))
  }

  @Test func linesAreAppended() throws {
    try Data("before\n".utf8).write(to: folder.url.appendingPathComponent("log"))
    let sink = try fileSink()
    sink.write(line: "one")
    sink.write(line: Array("two\nhalves".utf8))
    sink.write(line: "")
    #expect(sink.close(deadline: patience))
    #expect(try folder.lines("log") == ["before", "one", "two halves", "", ""])
    var expected = LogStatistics()
    expected.written = 3
    #expect(sink.statistics == expected)
  }

  @Test func aNewFileIsForItsGroupOnly() throws {
    let sink = try fileSink()
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path("log"))
    let mode = try #require(attributes[.posixPermissions] as? Int)
    // The umask may take more away, and nothing may be added.
    #expect(mode & ~0o640 == 0)
    #expect(mode & 0o600 == 0o600)
    sink.close(deadline: patience)
  }

  @Test func anErrorNamesThePathAndTheReason() {
    let path = folder.path("missing/log")
    let error = #expect(throws: JSONLogError.self) { try JSONLogSink(destination: .file(path: path)) }
    #expect(error?.operation == .open(path: path))
    #expect(error?.code == ENOENT)
    #expect(error?.description.contains("cannot open the log file \(path): no such file or directory;") == true)
  }

  @Test func aPipeThatNobodyReadsIsAnErrorAtOnce() throws {
    let path = folder.path("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    let error = #expect(throws: JSONLogError.self) { try JSONLogSink(destination: .file(path: path)) }
    #expect(error?.code == ENXIO)
  }

  @Test func linesOfManyThreadsStayWhole() throws {
    let (threads, rounds) = (8, 2000)
    let sink = try JSONLogSink(destination: .file(path: folder.path("log")), queueLimitBytes: 64 << 20)
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      for round in 0..<rounds {
        sink.write(line: "\(thread) \(round) " + String(repeating: "\(thread)", count: round % 300))
      }
    }
    #expect(sink.close(deadline: patience))
    var next = [Int](repeating: 0, count: threads)
    for line in try folder.lines("log").dropLast() {
      let parts = line.split(separator: " ", omittingEmptySubsequences: false)
      let thread = try #require(Int(parts[0]))
      let round = try #require(Int(parts[1]))
      #expect(round == next[thread])
      #expect(parts[2] == String(repeating: "\(thread)", count: round % 300))
      next[thread] += 1
    }
    #expect(next == [Int](repeating: rounds, count: threads))
    #expect(sink.statistics.written == UInt64(threads * rounds))
    #expect(sink.statistics.queuedBytes == 0)
  }

  /// Nobody reads the pipe: callers go on at full speed, what does not fit is counted, and it works again once it is
  /// read.
  @Test func aBlockedPipeCostsEventsOnly() throws {
    let pipe = try NamedPipe(in: folder)
    let limit = 256 * 1024
    let sink = try JSONLogSink(destination: .file(path: pipe.path), queueLimitBytes: limit)
    let line = String(repeating: "x", count: 1023)
    let clock = ContinuousClock()
    var slowest = Duration.zero
    for _ in 0..<2000 {
      slowest = max(slowest, clock.measure { sink.write(line: line) })
    }
    // Far from what waiting for a reader would take, and far above what a busy machine adds.
    #expect(slowest < .seconds(2))
    let blocked = sink.statistics
    #expect(blocked.droppedQueueFull > 1000)
    #expect(blocked.queuedBytes <= limit)
    #expect(!sink.flush(deadline: .milliseconds(20)))
    #expect(!sink.close(deadline: .milliseconds(20)))

    var received: [UInt8] = []
    waitUntil {
      received += pipe.read()
      return sink.close(deadline: .zero)
    }
    received += pipe.read()
    let statistics = sink.statistics
    #expect(statistics.written + statistics.droppedQueueFull == 2000)
    #expect(received.count == Int(statistics.written) * 1024)
    #expect(received.split(separator: UInt8(ascii: "\n")).allSatisfy { $0.count == 1023 })
  }

  /// The pipe's reader is gone: a write is an error (and no signal that ends the process).
  @Test func aClosedPipeCostsEventsOnly() throws {
    var pipe: NamedPipe? = try NamedPipe(in: folder)
    let path = try #require(pipe?.path)
    let sink = try JSONLogSink(destination: .file(path: path))
    pipe = nil
    sink.write(line: "one")
    #expect(sink.flush(deadline: patience))
    sink.write(line: "two")
    #expect(sink.close(deadline: patience))
    #expect(sink.statistics.droppedWriteError == 2)
    #expect(sink.statistics.written == 0)
  }

  @Test func aFullDiskCostsEventsOnly() throws {
    let sink = try JSONLogSink(destination: .file(path: "/dev/full"))
    for _ in 0..<5 { sink.write(line: "lost") }
    #expect(sink.flush(deadline: patience))
    var expected = LogStatistics()
    expected.droppedWriteError = 5
    #expect(sink.statistics == expected)
    #expect(sink.close(deadline: patience))
  }

  @Test func rotationGoesToTheNewFile() throws {
    let sink = try fileSink()
    sink.write(line: "old")
    #expect(sink.flush(deadline: patience))
    try FileManager.default.moveItem(atPath: folder.path("log"), toPath: folder.path("log.1"))
    sink.write(line: "still old")
    #expect(sink.flush(deadline: patience))
    sink.reopen()
    waitUntil { sink.statistics.reopens == 1 }
    sink.write(line: "new")
    #expect(sink.close(deadline: patience))
    #expect(try folder.lines("log.1") == ["old", "still old", ""])
    #expect(try folder.lines("log") == ["new", ""])
  }

  @Test func aFailedRotationKeepsTheOldFile() throws {
    let nested = folder.url.appendingPathComponent("nested")
    let moved = folder.url.appendingPathComponent("moved")
    try FileManager.default.createDirectory(at: nested, withIntermediateDirectories: false)
    let sink = try fileSink("nested/log")
    try FileManager.default.moveItem(at: nested, to: moved)
    sink.reopen()
    waitUntil { sink.statistics.reopenFailures == 1 }
    sink.reopen()
    waitUntil { sink.statistics.reopenFailures == 2 }
    sink.write(line: "kept")
    #expect(sink.flush(deadline: patience))
    #expect(try folder.lines("moved/log") == ["kept", ""])
    try FileManager.default.createDirectory(at: nested, withIntermediateDirectories: false)
    sink.reopen()
    waitUntil { sink.statistics.reopens == 1 }
    sink.write(line: "new")
    #expect(sink.close(deadline: patience))
    #expect(try folder.lines("nested/log") == ["new", ""])
  }

  @Test func aClosedSinkTakesNothing() throws {
    let sink = try fileSink()
    sink.write(line: "one")
    #expect(sink.close(deadline: patience))
    #expect(sink.close(deadline: patience))
    sink.write(line: "late")
    #expect(sink.flush(deadline: patience))
    #expect(sink.statistics.droppedClosed == 1)
    #expect(try folder.lines("log") == ["one", ""])
  }

  @Test func aForgottenSinkStillWrites() throws {
    do {
      let sink = try fileSink()
      for round in 0..<100 { sink.write(line: "\(round)") }
    }
    try waitUntil { try folder.lines("log") == (0..<100).map(String.init) + [""] }
  }

  @Test func aLineLongerThanTheQueueIsDropped() throws {
    let sink = try JSONLogSink(destination: .file(path: folder.path("log")), queueLimitBytes: 10)
    sink.write(line: "0123456789")
    sink.write(line: "012345678")
    #expect(sink.close(deadline: patience))
    #expect(sink.statistics.droppedQueueFull == 1)
    #expect(try folder.lines("log") == ["012345678", ""])
  }

  /// Lines longer than a write's chunk, so that its ends fall within lines, before and behind them.
  @Test func longLinesStayWhole() throws {
    let sink = try JSONLogSink(destination: .file(path: folder.path("log")), queueLimitBytes: 64 << 20)
    let lines = [200_000, 1, 65_535, 65_536, 3, 65_534, 70_000, 0, 40_000, 40_000].enumerated().map {
      String(repeating: "\($0)", count: $1)
    }
    for line in lines { sink.write(line: line) }
    #expect(sink.close(deadline: patience))
    #expect(try folder.lines("log") == lines + [""])
    #expect(sink.statistics.written == UInt64(lines.count))
  }

  /// A file that may not grow: the line that was cut off stays alone, the next one that fits begins afresh.
  @Test func aLineCutOffDoesNotSpoilTheNext() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      // Exceeding the limit is then an error (EFBIG) and no signal; the sink's thread blocks signals anyway.
      var limit = rlimit(rlim_cur: 10, rlim_max: 1000)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let sink = try JSONLogSink(destination: .file(path: folder.path("log")))
      sink.write(line: "one")
      try #require(sink.flush(deadline: patience))
      sink.write(line: "two is cut off")
      try #require(sink.flush(deadline: patience))
      sink.write(line: "three is lost")
      try #require(sink.flush(deadline: patience))
      limit.rlim_cur = 1000
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      sink.write(line: "four")
      try #require(sink.close(deadline: patience))
      try #require(folder.lines("log") == ["one", "two is", "four", ""])
      try #require(sink.statistics.written == 2)
      try #require(sink.statistics.droppedWriteError == 2)
    }
  }

  @Test func standardError() async throws {
    let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
      let sink = try JSONLogSink(destination: .standardError)
      sink.write(line: #"{"told":"on stderr"}"#)
      sink.reopen()
      try #require(sink.close(deadline: patience))
      try #require(sink.statistics.reopens == 0)
    }
    let output = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(output.contains(#"{"told":"on stderr"}"# + "\n"))
  }
}
