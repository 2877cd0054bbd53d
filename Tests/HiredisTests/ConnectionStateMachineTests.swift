import EventLoop
@testable import TLS
import Testing

@testable import Hiredis

/// The machine with names in place of lookups.
private typealias Machine = ConnectionStateMachine<String>

/// The events of the machine, each at a fixed time and with fixed arguments.
enum ConnectionEvent: String, CaseIterable, Codable, Sendable {
  case connect, retryNow, timerFired
  case loginArrived, loginFailed
  case located, notLocated, serverMoved
  case lookupBegan, lookupFinished, lookupFailed, noContext, noCertificates, tlsBegan, contextConnected
  case oddReply, lastReply, rejection
  case holdDeadline, becomesPatient, becomesBestEffort
  case lostIdle, lostInUse, commandTimedOut, replyTooDeep, tlsFailed
  case close
}

/// Each event in each state, of a dispensable store whose host is a name.
@Suite struct ConnectionStateMachineTests {
  private typealias Event = ConnectionEvent
  private typealias Phase = ConnectionPhase

  private static let service = Service.bestEffort(timeout: .seconds(1))
  private static let now: UInt64 = 10_000_000_000
  private static let identity = ServerIdentity(runID: "x", version: "7.0", flavour: .redis, database: 0)
  private static let candidates = [SocketAddress.tcp(host: "::1", port: 1), .tcp(host: "127.0.0.1", port: 1)]
  private static let options: HandshakeOptions = {
    var options = HandshakeOptions()
    options.preparation = [["SCRIPT", "LOAD", "return 1"]]
    return options
  }()
  private static let refusal = ConnectionFailure.notConnected(
    reason: unavailable(.connectFailed, "unknown").description
  )

  /// Attempts begin 2 ms apart at least, and half of what chance leaves is 1.5 ms.
  private static func unavailable(_ kind: ConnectionDownReason.Kind, _ detail: String) -> ConnectionDownReason {
    ConnectionDownReason(kind: kind, detail: detail, attempt: 1, retryDelay: .microseconds(1500))
  }

  private static func lost(_ kind: ConnectionDownReason.Kind, _ detail: String) -> ConnectionDownReason {
    ConnectionDownReason(kind: kind, detail: detail, attempt: 1, retryDelay: .zero)
  }

  /// A failure that only a change of files or settings can end: the next attempt is not made at once.
  private static func rejected(_ kind: ConnectionDownReason.Kind, attempt: Int = 1) -> ConnectionDownReason {
    ConnectionDownReason(
      kind: kind,
      detail: certificateFailure.message,
      attempt: attempt,
      retryDelay: Machine.rejectionDelay
    )
  }

  private static let sentinels = StoreLocation.sentinels(
    SentinelGroup(master: "m", nodes: [StoreEndpoint(address: .tcp(host: "127.0.0.1", port: 2))])
  )
  private static let elsewhere = SocketAddress.tcp(host: "store", port: 2)
  private static let replaced = "the sentinels have named store:2 in place of store:1"

  private static let certificateFailure = TLSFailure(.untrusted, "not trusted")

  private static let handshake = ConnectionAction.sendHandshake(
    [["CLIENT", "SETNAME", "multistore-exporter"], ["INFO", "server"], options.preparation[0], ["PING"]].map {
      encode($0.map { Array($0.utf8) })
    }
  )

  /// A machine of a dispensable store that events have brought into `phase`.
  private static func machine(in phase: Phase) -> Machine {
    var endpoint = StoreEndpoint(address: .tcp(host: "store", port: 1))
    if phase == .fetchingLogin { endpoint.passwordCommand = LoginCommand(["token"]) }
    if phase == .locating { endpoint.location = sentinels }
    var machine = Machine(endpoint: endpoint, limits: .quick) { 0.5 }
    _ = machine.serviceDidChange(to: service)
    switch phase {
    case .idle: break
    case .starting: _ = machine.connect()
    case .fetchingLogin, .locating: advance(&machine, .connect, .timerFired)
    case .waiting: advance(&machine, .connect, .timerFired, .lookupFailed)
    case .resolving: advance(&machine, .connect, .timerFired, .lookupBegan)
    case .connecting: advance(&machine, .connect, .timerFired, .lookupFinished)
    case .securing: advance(&machine, .connect, .timerFired, .lookupFinished, .tlsBegan)
    case .shakingHands:
      advance(&machine, .connect, .timerFired, .lookupFinished, .contextConnected, .oddReply, .oddReply, .oddReply)
    case .ready:
      machine = self.machine(in: .shakingHands)
      advance(&machine, .lastReply)
    case .awaitingProbe:
      machine = self.machine(in: .ready)
      advance(&machine, .commandTimedOut, .timerFired, .lookupFinished, .contextConnected)
      advance(&machine, .oddReply, .oddReply, .oddReply, .lastReply)
    case .betweenProbes:
      machine = self.machine(in: .awaitingProbe)
      advance(&machine, .oddReply)
    case .closed: machine.close()
    }
    return machine
  }

  private static func advance(_ machine: inout Machine, _ events: Event...) {
    for event in events { _ = apply(event, to: &machine) }
  }

  private static func apply(_ event: Event, to machine: inout Machine) -> ConnectionAction {
    let idle = UnansweredCommands(areInFlight: false, areAwaited: false)
    let busy = UnansweredCommands(areInFlight: true, areAwaited: true)
    switch event {
    case .connect: return machine.connect()
    case .retryNow: return machine.retryNow(at: now)
    case .timerFired: return machine.attemptTimerFired(at: now)
    case .loginArrived: return machine.loginDidArrive()
    case .loginFailed: return machine.loginDidFail("no token")
    case .located: return machine.didLocate(.tcp(host: "store", port: 1))
    case .notLocated: return machine.didNotLocate("unknown")
    case .serverMoved: return machine.serverDidMove(to: elsewhere)
    case .lookupBegan:
      machine.lookupDidBegin("lookup")
      return .none
    case .lookupFinished: return machine.lookupDidFinish(candidates)
    case .lookupFailed: return machine.lookupDidFail("unknown")
    case .noContext: return machine.connectDidFail(to: candidates[0], "no descriptors")
    case .noCertificates: return machine.tlsDidFail(certificateFailure)
    case .tlsBegan:
      machine.contextDidReachStore()
      return .none
    case .contextConnected: return machine.contextDidConnect(options: options)
    case .oddReply: return machine.didReceive(.text("run_id:x\r\nredis_version:7.0\r\n"), at: now)
    case .lastReply: return machine.didReceive(.text("PONG"), at: now)
    case .rejection: return machine.didReceive(.error("NOAUTH log in"), at: now)
    case .holdDeadline: return machine.holdDeadlinePassed()
    case .becomesPatient: return machine.serviceDidChange(to: .patient)
    case .becomesBestEffort: return machine.serviceDidChange(to: service)
    case .lostIdle: return machine.contextDidEnd(.failed("EOF"), idle, at: now)
    case .lostInUse: return machine.contextDidEnd(.failed("EOF"), busy, at: now)
    case .commandTimedOut:
      return machine.contextDidEnd(.abandoned(.commandTimedOut, detail: "late"), busy, at: now)
    case .replyTooDeep: return machine.contextDidEnd(.replyTooDeep, busy, at: now)
    case .tlsFailed: return machine.contextDidEnd(.tlsFailed(certificateFailure), busy, at: now)
    case .close:
      machine.close()
      return .none
    }
  }

  private typealias Transition = (action: ConnectionAction, next: Phase)

  /// The transitions that change something, or ask for an action. Those in ``inert`` do neither; all others trap.
  private static let transitions: [Phase: [Event: Transition]] = [
    .idle: [.connect: (.startTimer(after: .zero), .starting)],
    .starting: [
      .timerFired: (.resolve(host: "store", port: 1, timeout: .seconds(5)), .resolving),
      .holdDeadline: (.failQueued(.heldTooLong), .waiting),
    ],
    .waiting: [
      .timerFired: (.resolve(host: "store", port: 1, timeout: .seconds(5)), .resolving),
      .retryNow: (.resolve(host: "store", port: 1, timeout: .seconds(5)), .resolving),
      .serverMoved: (.startTimer(after: .zero), .waiting),
    ],
    .fetchingLogin: [
      .loginArrived: (.resolve(host: "store", port: 1, timeout: .seconds(5)), .resolving),
      .loginFailed: (
        .becomeUnavailable(
          ConnectionDownReason(
            kind: .authenticationRejected,
            detail: "no token",
            attempt: 1,
            retryDelay: .microseconds(1500)
          )
        ), .waiting
      ),
      .holdDeadline: (.failQueued(.heldTooLong), .fetchingLogin),
    ],
    .locating: [
      .timerFired: (
        .becomeUnavailable(
          unavailable(.timedOut, "sentinel:m@127.0.0.1:2 has named no master within 5.0 seconds")
        ), .waiting
      ),
      .located: (.resolve(host: "store", port: 1, timeout: .seconds(5)), .resolving),
      .notLocated: (.becomeUnavailable(unavailable(.connectFailed, "unknown")), .waiting),
      .holdDeadline: (.failQueued(.heldTooLong), .locating),
    ],
    .resolving: [
      .serverMoved: (.becomeUnavailable(unavailable(.connectFailed, replaced)), .waiting),
      .timerFired: (
        .becomeUnavailable(unavailable(.timedOut, "store:1 could not be resolved within 5.0 seconds")), .waiting
      ),
      .lookupFinished: (.connect(to: candidates[0], timeout: nil), .connecting),
      .lookupFailed: (.becomeUnavailable(unavailable(.connectFailed, "unknown")), .waiting),
      .holdDeadline: (.failQueued(.heldTooLong), .resolving),
    ],
    .connecting: [
      .serverMoved: (.endContext(.abandoned(.connectFailed, detail: replaced)), .connecting),
      .timerFired: (.endContext(.abandoned(.timedOut, detail: "no connection within 5.0 seconds")), .connecting),
      .noContext: (.connect(to: candidates[1], timeout: nil), .connecting),
      .noCertificates: (.becomeUnavailable(rejected(.tlsFailed)), .waiting),
      .tlsBegan: (.none, .securing),
      .tlsFailed: (.connect(to: candidates[1], timeout: nil), .connecting),
      .contextConnected: (handshake, .shakingHands),
      .lostIdle: (.connect(to: candidates[1], timeout: nil), .connecting),
      .lostInUse: (.connect(to: candidates[1], timeout: nil), .connecting),
      .replyTooDeep: (.connect(to: candidates[1], timeout: nil), .connecting),
      .commandTimedOut: (.becomeUnavailable(unavailable(.commandTimedOut, "late")), .waiting),
      .holdDeadline: (.failQueued(.heldTooLong), .connecting),
    ],
    .securing: [
      .serverMoved: (.endContext(.abandoned(.connectFailed, detail: replaced)), .securing),
      .timerFired: (
        .endContext(
          .abandoned(.timedOut, detail: "no TLS handshake within 5.0 seconds; the port may be one without TLS")
        ), .securing
      ),
      .contextConnected: (handshake, .shakingHands),
      .lostIdle: (.connect(to: candidates[1], timeout: nil), .connecting),
      .lostInUse: (.connect(to: candidates[1], timeout: nil), .connecting),
      .replyTooDeep: (.connect(to: candidates[1], timeout: nil), .connecting),
      .tlsFailed: (.connect(to: candidates[1], timeout: nil), .connecting),
      .commandTimedOut: (.becomeUnavailable(unavailable(.commandTimedOut, "late")), .waiting),
      .holdDeadline: (.failQueued(.heldTooLong), .securing),
    ],
    .shakingHands: [
      .serverMoved: (.endContext(.abandoned(.connectFailed, detail: replaced)), .shakingHands),
      .tlsFailed: (.connect(to: candidates[1], timeout: nil), .connecting),
      .timerFired: (.endContext(.abandoned(.timedOut, detail: "no connection within 5.0 seconds")), .shakingHands),
      .oddReply: (.becomeReady(identity, awaitsProbeReply: false), .ready),
      .lastReply: (.becomeReady(identity, awaitsProbeReply: false), .ready),
      .rejection: (.endContext(.abandoned(.authenticationRejected, detail: "NOAUTH log in")), .shakingHands),
      .lostIdle: (.connect(to: candidates[1], timeout: nil), .connecting),
      .lostInUse: (.connect(to: candidates[1], timeout: nil), .connecting),
      .replyTooDeep: (.connect(to: candidates[1], timeout: nil), .connecting),
      .commandTimedOut: (.becomeUnavailable(unavailable(.commandTimedOut, "late")), .waiting),
      .holdDeadline: (.failQueued(.heldTooLong), .shakingHands),
    ],
    .awaitingProbe: [
      .serverMoved: (.endContext(.failed(replaced)), .awaitingProbe),
      .timerFired: (
        .endContext(.abandoned(.timedOut, detail: "no reply to a probe within 1.0 seconds")), .awaitingProbe
      ),
      .oddReply: (.startTimer(after: Probation.probeInterval), .betweenProbes),
      .lastReply: (.startTimer(after: Probation.probeInterval), .betweenProbes),
      .rejection: (.startTimer(after: Probation.probeInterval), .betweenProbes),
      .becomesPatient: (.becomeReady(identity, awaitsProbeReply: true), .ready),
    ].merging(probationEnds) { $1 },
    .betweenProbes: [
      .serverMoved: (.endContext(.failed(replaced)), .betweenProbes),
      .timerFired: (.sendProbe(timeout: .seconds(1)), .awaitingProbe),
      .oddReply: (.endContext(.unexpectedReply), .betweenProbes),
      .lastReply: (.endContext(.unexpectedReply), .betweenProbes),
      .rejection: (.endContext(.unexpectedReply), .betweenProbes),
      .becomesPatient: (.becomeReady(identity, awaitsProbeReply: false), .ready),
    ].merging(probationEnds) { $1 },
    .ready: [
      .serverMoved: (.endContext(.failed(replaced)), .ready),
      .lostIdle: (.reconnect(after: .milliseconds(2), detail: "EOF"), .starting),
      .lostInUse: (.failInFlight(loss(.failed("EOF"), .lost, "EOF")), .starting),
      .commandTimedOut: (
        .failInFlight(loss(.abandoned(.commandTimedOut, detail: "late"), .commandTimedOut, "late")), .waiting
      ),
      .replyTooDeep: (.failInFlight(loss(.replyTooDeep, .lost, ConnectionFailure.tooDeep)), .starting),
      .tlsFailed: (.failInFlight(loss(.tlsFailed(certificateFailure), .lost, certificateFailure.message)), .starting),
    ],
    .closed: [:],
  ]

  /// The second failure in a row: the first was the command that timed out.
  private static let probationEnds: [Event: Transition] = [
    .lostIdle: (.becomeUnavailable(second(.connectFailed, "EOF")), .waiting),
    .lostInUse: (.becomeUnavailable(second(.connectFailed, "EOF")), .waiting),
    .replyTooDeep: (.becomeUnavailable(second(.connectFailed, ConnectionFailure.tooDeep)), .waiting),
    .commandTimedOut: (.becomeUnavailable(second(.commandTimedOut, "late")), .waiting),
    .tlsFailed: (.becomeUnavailable(rejected(.tlsFailed, attempt: 2)), .waiting),
  ]

  private static func second(_ kind: ConnectionDownReason.Kind, _ detail: String) -> ConnectionDownReason {
    ConnectionDownReason(kind: kind, detail: detail, attempt: 2, retryDelay: .milliseconds(3))
  }

  private static func loss(
    _ end: ContextEnd,
    _ kind: ConnectionDownReason.Kind,
    _ detail: String
  ) -> ConnectionLoss {
    let reason = ConnectionDownReason(kind: kind, detail: detail, attempt: 1, retryDelay: .milliseconds(2))
    return ConnectionLoss(end, reason)
  }

  /// Events that may come in a state and change nothing there.
  private static func isInert(_ event: Event, in phase: Phase) -> Bool {
    switch event {
    case .connect: phase != .idle
    case .retryNow: phase != .waiting
    case .becomesPatient: phase != .betweenProbes && phase != .awaitingProbe
    case .becomesBestEffort: true
    case .lookupBegan: phase == .resolving
    case .located, .notLocated: phase != .locating
    case .serverMoved: [.idle, .starting, .fetchingLogin, .locating, .closed].contains(phase)
    default: false
    }
  }

  private static func expectation(_ event: Event, in phase: Phase) -> Transition? {
    if event == .close { return (.none, .closed) }
    if isInert(event, in: phase) { return (.none, phase) }
    return transitions[phase]?[event]
  }

  @Test(arguments: ConnectionPhase.allCases) func `each event has its action and its next state`(phase: ConnectionPhase)
  {
    for event in Event.allCases {
      guard let expected = Self.expectation(event, in: phase) else { continue }
      var machine = Self.machine(in: phase)
      #expect(machine.phase == phase, "the state is reached by events")
      let action = Self.apply(event, to: &machine)
      #expect(action == expected.action, "\(event) in \(phase)")
      #expect(machine.phase == expected.next, "\(event) in \(phase)")
    }
  }

  /// Each of the next commands would wait for a connection that is of no use.
  @Test func `a store that ends each connection at its first command has to prove itself`() {
    var machine = Self.machine(in: .ready)
    let first = UnansweredCommands(areInFlight: true, areAwaited: true, areFirst: true)
    let later = UnansweredCommands(areInFlight: true, areAwaited: true)
    for (unanswered, next) in [(first, Phase.starting), (later, .starting), (first, .starting), (first, .waiting)] {
      _ = machine.contextDidEnd(.failed("EOF"), unanswered, at: Self.now)
      #expect(machine.phase == next)
      Self.advance(&machine, .timerFired, .lookupFinished, .contextConnected)
      Self.advance(&machine, .oddReply, .oddReply, .oddReply, .lastReply)
    }
    #expect(machine.phase == .awaitingProbe)
  }

  /// The trap names the event's state, which is what a crash report shows.
  @Test(arguments: ConnectionPhase.allCases) func `an impossible event traps and names the state`(
    phase: ConnectionPhase
  ) async throws {
    for event in Event.allCases where Self.expectation(event, in: phase) == nil {
      let result = await #expect(
        processExitsWith: .failure,
        observing: [\.standardErrorContent],
        "\(event) in \(phase)"
      ) { [event = event as ConnectionEvent, phase = phase as ConnectionPhase] in
        ConnectionStateMachineTests.trap(event, in: phase)
      }
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains("in state \(phase)"), "\(event) in \(phase): \(text.suffix(500))")
    }
  }

  private static func trap(_ event: ConnectionEvent, in phase: ConnectionPhase) {
    var machine = machine(in: phase)
    _ = apply(event, to: &machine)
  }
}
