import Testing

@testable import Proxy

@Suite("When a client is active")
struct ClientPaceTests {
  @Test func `single bytes are no activity`() {
    var pace = ClientPace(at: 0)
    for second in 1..<100 as Range<UInt64> {
      pace.look(pendingWriteBytes: 0, inputBytes: Int(second), at: second)
      #expect(pace.lastActive == 0)
    }
  }

  @Test func `enough of a large command is, and what is taken of replies, and a reply`() {
    var pace = ClientPace(at: 0)
    let step = ClientPace.uploadBytes
    pace.look(pendingWriteBytes: 0, inputBytes: step - 1, at: 1)
    #expect(pace.lastActive == 0)
    pace.look(pendingWriteBytes: 0, inputBytes: step, at: 2)
    #expect(pace.lastActive == 2)
    pace.look(pendingWriteBytes: 0, inputBytes: 2 * step - 1, at: 3)
    #expect(pace.lastActive == 2)
    pace.look(pendingWriteBytes: 0, inputBytes: 2 * step, at: 4)
    #expect(pace.lastActive == 4)
    // The next command begins anew.
    pace.look(pendingWriteBytes: 0, inputBytes: 10, at: 5)
    pace.look(pendingWriteBytes: 0, inputBytes: 10 + step, at: 6)
    #expect(pace.lastActive == 6)
    pace.look(pendingWriteBytes: 500, inputBytes: 0, at: 7)
    #expect(pace.lastActive == 7)
    pace.look(pendingWriteBytes: 500, inputBytes: 0, at: 8)
    #expect(pace.lastActive == 7)
    pace.look(pendingWriteBytes: 499, inputBytes: 0, at: 9)
    #expect(pace.lastActive == 9)
    pace.wasActive(at: 10)
    #expect(pace.lastActive == 10)
  }
}
