/// When a client was active last, as far as `idle_timeout` is concerned: it was sent a reply, took some of what it is
/// owed, or sent enough of a large command. Single bytes of a command that does not end are no activity.
struct ClientPace {
  /// So much of a command that is not whole yet has to come within `idle_timeout`, for its client not to be idle. A
  /// command that is shorter has to be whole by then.
  static let uploadBytes = 4096

  /// The loop's clock.
  private(set) var lastActive: UInt64
  /// The bytes that the client had not taken when it was looked at last.
  private var pendingWriteBytes = 0
  /// The bytes of the command that were there when enough had come last.
  private var inputBytes = 0

  init(at now: UInt64) {
    lastActive = now
  }

  /// A reply was sent, or all that was owed was taken.
  mutating func wasActive(at now: UInt64) {
    lastActive = now
  }

  /// Looks at what has changed. To be called now and then.
  ///
  /// - Parameters:
  ///   - pendingWriteBytes: Replies that the client has not taken.
  ///   - inputBytes: What is there of commands that are not executed.
  mutating func look(pendingWriteBytes: Int, inputBytes: Int, at now: UInt64) {
    let hasUploaded = inputBytes >= self.inputBytes + Self.uploadBytes
    if hasUploaded || pendingWriteBytes != self.pendingWriteBytes { lastActive = now }
    if hasUploaded || inputBytes < self.inputBytes { self.inputBytes = inputBytes }
    self.pendingWriteBytes = pendingWriteBytes
  }
}
