/// The time of a client's last activity, as `idle_timeout` counts it: a reply was sent, some pending replies were
/// taken, or enough of a large command has arrived. Single bytes of an incomplete command are no activity.
struct ClientPace {
  /// The bytes of an incomplete command that must arrive within `idle_timeout` for its client not to be idle. A shorter
  /// command must be complete by then.
  static let uploadBytes = 4096

  /// The time of the last activity, by the loop's clock.
  private(set) var lastActive: UInt64
  /// The bytes that the client had not taken at the last look.
  private var pendingWriteBytes = 0
  /// The bytes of the incomplete command when enough of it had arrived last.
  private var inputBytes = 0

  init(at now: UInt64) {
    lastActive = now
  }

  /// Records that a reply was sent, or that all pending replies were taken.
  mutating func wasActive(at now: UInt64) {
    lastActive = now
  }

  /// Records the changes since the last call as activity. Called at regular intervals.
  ///
  /// - Parameters:
  ///   - pendingWriteBytes: Replies that the client has not taken.
  ///   - inputBytes: The bytes of commands that are not executed yet.
  mutating func look(pendingWriteBytes: Int, inputBytes: Int, at now: UInt64) {
    let hasUploaded = inputBytes >= self.inputBytes + Self.uploadBytes
    if hasUploaded || pendingWriteBytes != self.pendingWriteBytes { lastActive = now }
    if hasUploaded || inputBytes < self.inputBytes { self.inputBytes = inputBytes }
    self.pendingWriteBytes = pendingWriteBytes
  }
}
