import EventLoop
import Testing

@testable import Hiredis

/// Whole attempts of the machine, for what depends on more than the state and the event.
@Suite struct ConnectionAttemptTests {
  private static let bestEffort = Service.bestEffort(timeout: .seconds(1))
  private static let info = "run_id:x\r\nredis_version:7.0\r\n"

  private static func machine(
    at address: SocketAddress = .unix(path: "/redis"),
    password: String? = nil
  ) -> ConnectionStateMachine<String> {
    ConnectionStateMachine(endpoint: StoreEndpoint(address: address, password: password), limits: .quick) { 0.5 }
  }

  /// From `starting` or `waiting` to the end of the handshake.
  private static func makeReady(
    _ machine: inout ConnectionStateMachine<String>,
    clientID: Int? = nil,
    at now: UInt64 = 0
  ) -> ConnectionAction {
    _ = machine.attemptTimerFired(at: now)
    var options = HandshakeOptions()
    options.asksForClientID = clientID != nil
    _ = machine.contextDidConnect(options: options)
    _ = machine.didReceive(.text("OK"), at: now)
    _ = machine.didReceive(.text(info), at: now)
    if let clientID { _ = machine.didReceive(.integer(clientID), at: now) }
    return machine.didReceive(.text("PONG"), at: now)
  }

  @Test(arguments: [SocketAddress.unix(path: "/redis"), .tcp(host: "127.0.0.1", port: 1), .tcp(host: "::1", port: 1)])
  func `an address that is no name is connected to at once`(address: SocketAddress) {
    var machine = Self.machine(at: address)
    _ = machine.connect()
    let action = machine.attemptTimerFired(at: 0)
    #expect(action == .connect(to: address, timeout: .seconds(5)))
    let failure = machine.connectDidFail(to: address, "no descriptors")
    let reason = ConnectionDownReason(
      kind: .connectFailed,
      detail: "\(address): no descriptors",
      attempt: 1,
      retryDelay: .microseconds(1500)
    )
    #expect(failure == .becomeUnavailable(reason))
  }

  @Test func `a password that a program prints is fetched for each attempt, before anything else`() {
    let address = SocketAddress.unix(path: "/redis")
    var endpoint = StoreEndpoint(address: address)
    endpoint.passwordCommand = LoginCommand(["token"])
    var machine = ConnectionStateMachine<String>(endpoint: endpoint, limits: .quick) { 0.5 }
    _ = machine.connect()
    for _ in 0..<2 {
      let actions = [machine.attemptTimerFired(at: 0), machine.loginDidArrive()]
      #expect(actions == [.fetchLogin(timeout: .seconds(5)), .connect(to: address, timeout: .seconds(5))])
      _ = machine.contextDidEnd(.failed("refused"), UnansweredCommands(areInFlight: false, areAwaited: false), at: 0)
    }
  }

  @Test func `a login that is rejected is tried again at once, and after that in a while`() {
    var machine = Self.machine(password: "old")
    _ = machine.connect()
    let idle = UnansweredCommands(areInFlight: false, areAwaited: false)
    for isReadyBetween in [false, true] {
      var delays: [Duration] = []
      for _ in 0..<3 {
        _ = machine.attemptTimerFired(at: 0)
        _ = machine.contextDidConnect(options: HandshakeOptions())
        let end = machine.didReceive(.error("WRONGPASS"), at: 0)
        #expect(end == .endContext(.abandoned(.authenticationRejected, detail: "WRONGPASS")))
        let action = machine.contextDidEnd(.abandoned(.authenticationRejected, detail: "WRONGPASS"), idle, at: 0)
        if case .becomeUnavailable(let reason) = action { delays.append(reason.retryDelay) }
      }
      #expect(delays[0] < .milliseconds(100), "\(isReadyBetween)")
      #expect(delays.dropFirst().allSatisfy { $0 == ConnectionStateMachine<String>.rejectionDelay })
      _ = machine.attemptTimerFired(at: 0)
      _ = machine.contextDidConnect(options: HandshakeOptions())
      for text in ["OK", "OK", Self.info, "PONG"] { _ = machine.didReceive(.text(text), at: 0) }
      #expect(machine.phase == .ready)
      _ = machine.contextDidEnd(.failed("EOF"), idle, at: 0)
    }
  }

  @Test func `commands of a patient service wait for each attempt, and fail between two`() {
    var machine = Self.machine()
    #expect(machine.admission == .fail(.neverConnected) && !machine.takesCommands)
    _ = machine.connect()
    #expect(machine.admission == .hold && machine.takesCommands)
    for _ in 0..<2 {
      _ = machine.attemptTimerFired(at: 0)
      #expect(machine.admission == .hold && machine.takesCommands)
      _ = machine.contextDidEnd(.failed("refused"), UnansweredCommands(areInFlight: false, areAwaited: false), at: 0)
      #expect(machine.admission == .fail(.notConnected(reason: "connecting failed: unix:/redis: refused")))
      #expect(machine.takesCommands == false)
    }
    machine.close()
    #expect(machine.admission == .fail(.closed) && !machine.takesCommands)
  }

  @Test func `commands of a dispensable store wait for the first attempt only`() {
    var machine = Self.machine()
    _ = machine.serviceDidChange(to: Self.bestEffort)
    _ = machine.connect()
    _ = machine.attemptTimerFired(at: 0)
    #expect(machine.admission == .hold && machine.takesCommands)
    _ = machine.contextDidEnd(.failed("refused"), UnansweredCommands(areInFlight: false, areAwaited: false), at: 0)
    _ = machine.attemptTimerFired(at: 0)
    #expect(machine.admission == .fail(.notConnected(reason: "connecting failed: unix:/redis: refused")))
    _ = machine.serviceDidChange(to: .patient)
    #expect(machine.admission == .hold && machine.takesCommands)
    _ = machine.serviceDidChange(to: Self.bestEffort)
    _ = machine.holdDeadlinePassed()
    #expect(machine.admission == .fail(.heldTooLong) && !machine.takesCommands)
  }

  @Test func `a patient service sees a command's timeout as a loss like others`() {
    var machine = Self.machine()
    _ = machine.connect()
    _ = Self.makeReady(&machine)
    let busy = UnansweredCommands(areInFlight: true, areAwaited: true)
    _ = machine.contextDidEnd(.abandoned(.commandTimedOut, detail: "late"), busy, at: 0)
    #expect(machine.phase == .starting && machine.admission == .hold)
    _ = Self.makeReady(&machine)
    #expect(machine.isReady && machine.epoch == 2, "no probes are asked for")
  }

  /// The same process is told to close the connection on which it may have commands left, and only once.
  @Test func `a lost connection with commands in flight is closed at the server too`() {
    var machine = Self.machine()
    _ = machine.connect()
    _ = Self.makeReady(&machine, clientID: 7)
    #expect(machine.clientID == 7)
    let busy = UnansweredCommands(areInFlight: true, areAwaited: true)
    _ = machine.contextDidEnd(.failed("reset"), busy, at: 0)
    #expect(machine.clientID == nil)
    let kill = encode(["CLIENT", "KILL", "ID", "7"].map { Array($0.utf8) })
    let afterLoss = Self.makeReady(&machine, clientID: 8)
    #expect(afterLoss == .sendHandshake([kill]) && !machine.isReady)
    _ = machine.didReceive(.error("ERR No such client"), at: 0)
    #expect(machine.isReady && machine.clientID == 8)
    let idle = UnansweredCommands(areInFlight: false, areAwaited: false)
    _ = machine.contextDidEnd(.failed("closed"), idle, at: 0)
    _ = Self.makeReady(&machine, clientID: 9)
    #expect(machine.isReady && machine.clientID == 9)
  }

  @Test func `a lost connection is made again no sooner than the backoff's base after the attempt`() {
    var machine = Self.machine()
    _ = machine.connect()
    _ = Self.makeReady(&machine, at: 1_000_000)
    let idle = UnansweredCommands(areInFlight: false, areAwaited: false)
    let action = machine.contextDidEnd(.failed("EOF"), idle, at: 1_500_000)
    #expect(action == .reconnect(after: .microseconds(1500), detail: "EOF"))
  }
}
