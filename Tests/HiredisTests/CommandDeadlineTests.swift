import Testing

@testable import Hiredis

@Suite struct CommandDeadlineTests {
  private static let millisecond: UInt64 = 1_000_000

  /// The delay is what is left of the timeout, and never nothing: a timer without a delay fires in the same turn.
  @Test(arguments: [
    (UInt64(0), Duration.milliseconds(100)), (30, .milliseconds(70)), (100, .nanoseconds(1)), (500, .nanoseconds(1)),
  ])
  func `a command in flight has the rest of its time`(age: UInt64, expected: Duration) {
    var deadline = CommandDeadline(timeout: .milliseconds(100))
    let sentAt = 7 * Self.millisecond
    #expect(!deadline.isSet)
    #expect(deadline.set(forCommandSentAt: sentAt, at: sentAt + age * Self.millisecond) == expected)
    #expect(deadline.isSet)
    deadline.clear()
    #expect(!deadline.isSet)
  }

  @Test func `a held command has all of it from now on`() {
    var deadline = CommandDeadline(timeout: .milliseconds(100))
    #expect(deadline.setForHeldCommand() == .milliseconds(100))
    #expect(deadline.isSet)
  }

  @Test func `nothing is set where commands may wait for ever`() {
    var deadline = CommandDeadline(timeout: nil)
    #expect(deadline.set(forCommandSentAt: 0, at: 1) == nil)
    #expect(deadline.setForHeldCommand() == nil)
    #expect(!deadline.isSet)
  }

  @Test func `another timeout asks for another timer`() {
    var deadline = CommandDeadline(timeout: .milliseconds(100))
    _ = deadline.setForHeldCommand()
    deadline.timeout = .milliseconds(10)
    #expect(!deadline.isSet)
    #expect(deadline.set(forCommandSentAt: 0, at: 4 * Self.millisecond) == .milliseconds(6))
  }

  @Test(arguments: [(UInt64(99), false), (100, true), (101, true)])
  func `a deadline is over at the timeout`(age: UInt64, isOver: Bool) {
    let sentAt = UInt64.max - 50 * Self.millisecond
    let now = sentAt &+ age * Self.millisecond
    let deadline = CommandDeadline(timeout: nil)
    #expect(deadline.isOver(.milliseconds(100), sentAt: sentAt, at: now) == isOver)
    #expect(deadline.isOver(.zero, sentAt: sentAt, at: sentAt))
  }

  @Test func `commands behind a long one have their time when it has ended`() {
    let timeout = Duration.milliseconds(100)
    var deadline = CommandDeadline(timeout: timeout)
    let at = { (time: UInt64) in 1_000 * Self.millisecond + time * Self.millisecond }
    deadline.longCommandBegan(allowance: .milliseconds(500), at: at(0))
    #expect(deadline.set(forCommandSentAt: at(0), at: at(0)) == .milliseconds(600))
    #expect(!deadline.isOver(timeout, sentAt: at(0), at: at(599)))
    #expect(deadline.isOver(timeout, sentAt: at(0), at: at(600)))
    // Two of them are executed one after the other.
    deadline.longCommandBegan(allowance: .milliseconds(50), at: at(100))
    #expect(deadline.set(forCommandSentAt: at(10), at: at(200)) == .milliseconds(450))
    deadline.longCommandEnded(at: at(300))
    #expect(!deadline.isOver(timeout, sentAt: at(0), at: at(649)))
    deadline.longCommandEnded(at: at(310))
    #expect(deadline.set(forCommandSentAt: at(10), at: at(330)) == .milliseconds(80))
    #expect(!deadline.isOver(timeout, sentAt: at(10), at: at(409)))
    #expect(deadline.isOver(timeout, sentAt: at(10), at: at(410)))
    // However many there are, a server that hangs is noticed.
    for _ in 0..<10 { deadline.longCommandBegan(allowance: .seconds(300), at: at(420)) }
    #expect(deadline.isOver(timeout, sentAt: at(10), at: at(420 + 600_000 + 100)))
    for _ in 0..<10 { deadline.longCommandEnded(at: at(430)) }
    // Later ones do not profit.
    #expect(deadline.set(forCommandSentAt: at(500), at: at(500)) == timeout)
    // An allowance that was not enough leaves nothing behind.
    deadline.longCommandBegan(allowance: .milliseconds(10), at: at(600))
    deadline.longCommandEnded(at: at(900))
    #expect(deadline.set(forCommandSentAt: at(800), at: at(900)) == .nanoseconds(1))
  }
}
