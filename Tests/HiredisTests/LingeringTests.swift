import Testing

@testable import Hiredis

@Suite struct LingeringTests {
  @Test(arguments: [
    (1, false, true), (Lingering.mostBytes - 1, false, true), (Lingering.mostBytes, false, false), (1, true, false),
  ])
  func `a small command that is not urgent lingers`(byteCount: Int, isUrgent: Bool, lingers: Bool) {
    var lingering = Lingering()
    #expect(lingering.admits(byteCount: byteCount, isUrgent: isUrgent) == lingers)
    #expect(lingering.mayHaveUnwritten == !isUrgent, "a large one is to be written on close as well")
  }

  @Test func `one timer runs until the commands leave`() {
    var lingering = Lingering()
    #expect(!lingering.isActive)
    #expect(lingering.didHold(heldBytes: 10) == .startTimer)
    #expect(lingering.isActive)
    #expect(lingering.didHold(heldBytes: 20) == .wait)
    #expect(lingering.didHold(heldBytes: Lingering.mostBytes) == .handOver)
    lingering.end()
    #expect(!lingering.isActive)
    #expect(lingering.didHold(heldBytes: 10) == .startTimer)
  }

  @Test func `commands remain to be written until all bytes are`() {
    var lingering = Lingering()
    _ = lingering.admits(byteCount: 10, isUrgent: false)
    lingering.end()
    lingering.didWrite(queuedBytes: 3)
    #expect(lingering.mayHaveUnwritten)
    lingering.didWrite(queuedBytes: 0)
    #expect(!lingering.mayHaveUnwritten)
    _ = lingering.admits(byteCount: 10, isUrgent: true)
    #expect(!lingering.mayHaveUnwritten)
  }
}
