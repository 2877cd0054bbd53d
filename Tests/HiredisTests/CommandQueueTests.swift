import Testing

@testable import Hiredis

@Suite struct CommandQueueTests {
  private func queued(sentAt: UInt64, isCounted: Bool) -> QueuedCommand {
    QueuedCommand(
      receiver: DiscardedReplies.shared,
      token: 0,
      sentAt: sentAt,
      heldByteCount: 3,
      refusal: nil,
      isCounted: isCounted
    )
  }

  @Test func `the oldest command that counts is found among those in flight and those held back`() {
    let bytes: [UInt8] = [1, 2, 3]
    var queue = CommandQueue(limits: .quick)
    #expect(queue.oldestCounted == nil && queue.oldestSentAt == nil)
    queue.append(queued(sentAt: 1, isCounted: false))
    #expect(queue.oldestCounted == nil && queue.oldestSentAt == nil)
    queue.hold(queued(sentAt: 2, isCounted: true), bytes: bytes.span)
    #expect(queue.oldestCounted.map { $0 == (2, false) } == true)
    #expect(queue.oldestSentAt == nil, "its time begins when it is handed over")
    queue.handOver(now: 5) { _ in true }
    #expect(queue.oldestCounted.map { $0 == (5, true) } == true)
    #expect(queue.oldestSentAt == 5)
    _ = queue.popAnswered()
    _ = queue.popAnswered()
    #expect(queue.oldestCounted == nil && queue.oldestSentAt == nil)
  }
}
