import Testing

@testable import TLS

@Suite("TLS state machine")
struct TLSStateMachineTests {
  static let failure = TLSFailure(.protocol, "made up")

  static func open() -> TLSStateMachine {
    var machine = TLSStateMachine(side: .client)
    _ = machine.handshakeDidReturn(.done(count: 0))
    return machine
  }

  @Test func `a handshake goes on until it is done, and records are read from then on`() {
    var machine = TLSStateMachine(side: .client)
    #expect(machine.inputDidArrive() == .shakeHands)
    #expect(!machine.isWritable)
    let handshake = [
      machine.handshakeDidReturn(.again), machine.handshakeDidReturn(.interrupted),
      machine.handshakeDidReturn(.done(count: 0)),
    ]
    #expect(handshake == [.wait, .shakeHands, .readRecord])
    #expect(machine.isWritable)
    #expect(machine.inputDidArrive() == .readRecord)
    let records = [
      machine.recordDidReturn(.done(count: 5)), machine.recordDidReturn(.interrupted), machine.recordDidReturn(.again),
    ]
    #expect(records == [.readRecord, .readRecord, .wait])
  }

  @Test func `after the peer's close-notify this side can still write`() {
    var machine = Self.open()
    let step = machine.recordDidReturn(.done(count: 0))
    #expect(step == .wait)
    #expect(machine.state == .peerClosed)
    #expect(machine.isWritable)
    #expect(machine.inputDidArrive() == .wait)
    let (isNews, saysGoodbye) = (machine.transportDidEnd(), machine.close())
    #expect(!isNews)
    #expect(saysGoodbye)
    #expect(!machine.isWritable)
  }

  @Test func `a failure is told to the peer and ends everything`() {
    var early = TLSStateMachine(side: .client)
    var late = Self.open()
    let steps = [early.handshakeDidReturn(.failed(Self.failure)), late.recordDidReturn(.failed(Self.failure))]
    #expect(steps == [.sendAlert, .sendAlert])
    for var machine in [early, late] {
      #expect(machine.state == .failed(Self.failure))
      #expect(machine.inputDidArrive() == .wait)
      #expect(!machine.isWritable)
      let (saysGoodbye, isNews) = (machine.close(), machine.transportDidEnd())
      #expect(!saysGoodbye, "no close-notify after a fatal alert")
      #expect(!isNews)
      #expect(machine.state == .failed(Self.failure), "the first failure stays")
    }
  }

  @Test func `the end of the transport is a failure before a close-notify`() {
    for var machine in [TLSStateMachine(side: .client), Self.open()] {
      let isNews = machine.transportDidEnd()
      #expect(isNews)
      guard case .failed(let failure) = machine.state else {
        Issue.record("\(machine.state)")
        continue
      }
      #expect(failure.reason == .closed)
    }
  }

  @Test func `a write that fails ends the connection`() {
    var machine = Self.open()
    machine.writeDidFail(Self.failure)
    #expect(machine.state == .failed(Self.failure))
  }

  @Test func `nothing is said at the end of a handshake that was not done`() {
    var machine = TLSStateMachine(side: .client)
    let saysGoodbye = machine.close()
    #expect(!saysGoodbye)
    #expect(machine.state == .closed)
    #expect(machine.inputDidArrive() == .wait)
  }

  @Test func `a record before the handshake is impossible`() async {
    await #expect(processExitsWith: .failure) {
      var machine = TLSStateMachine(side: .client)
      _ = machine.recordDidReturn(.again)
    }
  }
}
