import JSONLog

extension JSONLogSink {
  /// A sink with the queue that the sidecar has by default.
  convenience init(destination: Destination) throws(JSONLogError) {
    try self.init(destination: destination, queueLimitBytes: 4 << 20)
  }

  /// Queues a line of text.
  func write(line: String) {
    write(line: Array(line.utf8))
  }
}
