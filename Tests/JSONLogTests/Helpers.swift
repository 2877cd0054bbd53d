import Foundation
import Glibc
import JSONLog
import Testing

/// A folder of a test's own, gone when the test is.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("jsonlog-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String {
    url.appendingPathComponent(name).path
  }

  /// The lines of a file; what follows the last line feed is an element of its own, empty if the file is well.
  func lines(_ name: String) throws -> [String] {
    let data = try Data(contentsOf: url.appendingPathComponent(name))
    return String(decoding: data, as: UTF8.self).components(separatedBy: "\n")
  }
}

/// A named pipe, whose reading end the test holds and need not read.
final class NamedPipe {
  let path: String
  private let reader: Int32

  init(in folder: TemporaryFolder) throws {
    path = folder.path("pipe")
    try #require(mkfifo(path, 0o600) == 0)
    reader = open(path, O_RDONLY | O_NONBLOCK)
    try #require(reader >= 0)
  }

  deinit {
    close(reader)
  }

  /// What is in the pipe now.
  func read() -> [UInt8] {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(reader, &chunk, chunk.count)
    return Array(chunk.prefix(max(count, 0)))
  }
}

/// The generous end of all waiting in these tests: what is late by then is not coming.
let patience = Duration.seconds(20)

/// Waits until something is so.
func waitUntil(_ condition: () throws -> Bool, sourceLocation: SourceLocation = #_sourceLocation) rethrows {
  let clock = ContinuousClock()
  let deadline = clock.now.advanced(by: patience)
  while try !condition() {
    guard clock.now < deadline else {
      Issue.record("It did not become so in \(patience).", sourceLocation: sourceLocation)
      return
    }
    sched_yield()
  }
}
