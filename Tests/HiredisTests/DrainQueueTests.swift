import Testing

@testable import Hiredis

@Suite struct DrainQueueTests {
  @Test func `a waiter's turn comes when all that was sent before is written`() {
    var queue = DrainQueue()
    let waiter = Waiter()
    queue.didSend(100)
    queue.append(waiter)
    queue.didSend(50)
    #expect(drained(&queue, queuedBytes: 51) == nil, "a byte that was sent before it is left")
    #expect(drained(&queue, queuedBytes: 50) === waiter)
    queue.turnDidEnd()
    #expect(drained(&queue, queuedBytes: 0) == nil)
  }

  @Test func `the next one waits for what the one before has sent`() {
    var queue = DrainQueue()
    let (first, second) = (Waiter(), Waiter())
    queue.didSend(10)
    queue.append(first)
    queue.append(second)
    #expect(drained(&queue, queuedBytes: 0) === first)
    queue.didSend(30)
    #expect(drained(&queue, queuedBytes: 0) == nil, "the first one may still send in this turn")
    queue.turnDidEnd()
    queue.didSend(1000)
    #expect(drained(&queue, queuedBytes: 1001) == nil)
    #expect(drained(&queue, queuedBytes: 1000) === second, "what was sent after the turn does not delay it")
  }

  /// It began to wait in the turn of another one, whose commands it has to wait for.
  @Test func `a waiter that comes during a turn waits for the end of the turn`() {
    var queue = DrainQueue()
    let (first, second) = (Waiter(), Waiter())
    queue.append(first)
    #expect(drained(&queue, queuedBytes: 0) === first)
    queue.append(second)
    queue.didSend(30)
    queue.turnDidEnd()
    #expect(drained(&queue, queuedBytes: 1) == nil)
    #expect(drained(&queue, queuedBytes: 0) === second)
  }

  @Test func `a lost connection releases its waiters`() {
    var queue = DrainQueue()
    let waiters = (0..<3).map { _ in Waiter() }
    for waiter in waiters {
      queue.didSend(10)
      queue.append(waiter)
    }
    for waiter in waiters { #expect(abandoned(&queue) === waiter) }
    #expect(abandoned(&queue) == nil)
  }

  private func drained(_ queue: inout DrainQueue, queuedBytes: Int) -> (any DrainWaiter)? {
    queue.popDrained(queuedBytes: queuedBytes)
  }

  private func abandoned(_ queue: inout DrainQueue) -> (any DrainWaiter)? {
    queue.popAbandoned()
  }

  private final class Waiter: DrainWaiter {
    func connectionDidDrain() {}
  }
}
