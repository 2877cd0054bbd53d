/// Commands that were answered and not yet reported to the delegate: all sent in the same turn of the loop, and all
/// answered in the present one.
struct AnsweredCommands {
  private(set) var count = 0
  private(set) var errorCount = 0
  /// The loop's clock when they were sent.
  private(set) var sentAt: UInt64 = 0

  @inline(__always)
  mutating func add(sentAt: UInt64, isError: Bool) {
    self.sentAt = sentAt
    count += 1
    if isError { errorCount += 1 }
  }

  @inline(__always)
  mutating func removeAll() {
    count = 0
    errorCount = 0
  }
}
