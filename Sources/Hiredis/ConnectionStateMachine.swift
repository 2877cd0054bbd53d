internal import EventLoop

/// The life of a connection: attempts to connect, handshakes, probation, losses, the end.
///
/// It decides and does no I/O: each event returns the action that the connection performs next. An event that can't
/// occur in the present state traps, and names both.
///
/// `Lookup` stands for a host lookup in progress; dropping it cancels the lookup.
struct ConnectionStateMachine<Lookup>: ~Copyable {
  /// An attempt to connect, from its beginning to a finished handshake.
  struct Attempt {
    enum Stage {
      /// A program is asked for the password.
      case fetchingLogin
      /// The locator is asked where the server is.
      case locating
      /// The host's addresses are being looked up; nil until the lookup has begun.
      case resolving(Lookup?)
      /// A context connects. The candidates were not tried yet.
      case connecting(candidates: ArraySlice<SocketAddress>)
      /// A context has connected, and its TLS shakes hands.
      case securing(candidates: ArraySlice<SocketAddress>)
      case shakingHands(Handshake, candidates: ArraySlice<SocketAddress>)
    }

    /// The loop's clock at the beginning.
    let begunAt: UInt64
    /// The failure of commands that are sent meanwhile; nil if they wait for the attempt.
    var refusal: ConnectionFailure?
    var stage: Stage

    /// The addresses that were not tried yet; nil while they are not known.
    var candidates: ArraySlice<SocketAddress>? {
      switch stage {
      case .fetchingLogin, .locating, .resolving: nil
      case .connecting(let candidates), .securing(let candidates), .shakingHands(_, let candidates): candidates
      }
    }
  }

  /// A connection whose handshake is done.
  struct Login {
    /// The loop's clock when the attempt began.
    let attemptedAt: UInt64
    let identity: ServerIdentity
    let clientID: Int?
  }

  enum State: ~Copyable {
    /// `connect` was not called.
    case idle
    /// An attempt begins shortly that is most likely to succeed: the first one, or the one after a loss. Commands wait
    /// for it.
    case starting
    /// Until the next attempt; commands fail.
    case waiting(refusal: ConnectionFailure)
    case connecting(Attempt)
    /// The handshake is done, and only probes are sent, one after the other.
    case proving(Login, awaitsReply: Bool)
    case ready(Login)
    case closed
  }

  let endpoint: StoreEndpoint
  let limits: ConnectionLimits
  /// The address of the server: the endpoint's, or the one that the locator has found last; nil before it has.
  var server: SocketAddress?
  var state = State.idle
  var backoff: Backoff
  var probation = Probation()
  /// The lost connection on which commands were in flight, until the server was asked to close it too.
  var orphan: Orphan?
  /// The connections in a row that were lost with the first commands that were sent over them.
  var uselessConnections = 0
  /// Whether the store has rejected a login since the connection was ready.
  var wasRejected = false
  /// The time that commands may wait for the store.
  private(set) var service = Service.patient
  /// The number of times that the connection became ready.
  private(set) var epoch = 0

  init(endpoint: StoreEndpoint, limits: ConnectionLimits, random: @escaping () -> Double) {
    self.endpoint = endpoint
    self.limits = limits
    server = if case .address(let address) = endpoint.location { address } else { nil }
    backoff = Backoff(base: limits.backoffBase, cap: limits.backoffCap, random: random)
  }

  // MARK: Questions

  /// Whether commands can be sent to the store now.
  @inline(__always)
  var isReady: Bool {
    switch state {
    case .ready: true
    default: false
    }
  }

  /// Whether a command that is sent now is sent to the store, or waits for the attempt to connect.
  var takesCommands: Bool {
    switch state {
    case .ready: true
    case .starting: true
    case .connecting(let attempt): attempt.refusal == nil
    default: false
    }
  }

  /// The treatment of a command that is sent while the connection is not ready.
  var admission: ConnectionAdmission {
    switch state {
    case .starting: .hold
    case .connecting(let attempt): attempt.refusal.map { .fail($0) } ?? .hold
    case .waiting(let refusal): .fail(refusal)
    case .proving: .fail(.onProbation)
    case .idle: .fail(.neverConnected)
    case .closed: .fail(.closed)
    case .ready: Self.impossible("a command was held back", in: state)
    }
  }

  /// The number that the server gave the connection; nil while it is not known.
  var clientID: Int? {
    switch state {
    case .proving(let login, _): login.clientID
    case .ready(let login): login.clientID
    default: nil
    }
  }

  /// The name of the present state.
  var phase: ConnectionPhase { Self.phase(state) }

  private static func phase(_ state: borrowing State) -> ConnectionPhase {
    switch state {
    case .idle: .idle
    case .starting: .starting
    case .waiting: .waiting
    case .connecting(let attempt):
      switch attempt.stage {
      case .fetchingLogin: .fetchingLogin
      case .locating: .locating
      case .resolving: .resolving
      case .connecting: .connecting
      case .securing: .securing
      case .shakingHands: .shakingHands
      }
    case .proving(_, let awaitsReply): awaitsReply ? .awaitingProbe : .betweenProbes
    case .ready: .ready
    case .closed: .closed
    }
  }

  static func impossible(_ event: String, in state: borrowing State) -> Never {
    preconditionFailure("\(event) while a connection was in state \(phase(state))")
  }

  /// Takes the state out for an event that changes it, which stores the next one. Meanwhile the state is `closed`.
  mutating func take() -> State {
    var taken = State.closed
    swap(&taken, &state)
    return taken
  }

  // MARK: Becoming ready

  /// Handles a reply to the handshake or to a probe: it belongs to no sender, as the connection is not ready.
  mutating func didReceive(_ answer: Handshake.Answer, at now: UInt64) -> ConnectionAction {
    switch take() {
    case .connecting(let attempt):
      return handshakeDidReceive(answer, attempt, at: now)
    case .proving(let login, awaitsReply: true):
      switch probation.probeAnswered(at: now) {
      case .use: return becomeReady(login, awaitsProbeReply: false)
      case .probe(let pause):
        state = .proving(login, awaitsReply: false)
        return .startTimer(after: pause)
      }
    case .proving(let login, awaitsReply: false):
      state = .proving(login, awaitsReply: false)
      return .endContext(.unexpectedReply)
    case let other: Self.impossible("a reply came", in: other)
    }
  }

  private mutating func handshakeDidReceive(
    _ answer: Handshake.Answer,
    _ attempt: Attempt,
    at now: UInt64
  ) -> ConnectionAction {
    guard case .shakingHands(var handshake, let candidates) = attempt.stage else {
      Self.impossible("a reply came", in: .connecting(attempt))
    }
    guard !handshake.isAnswered else {
      state = .connecting(attempt)
      return .endContext(.unexpectedReply)
    }
    let outcome = handshake.receive(answer)
    var attempt = attempt
    attempt.stage = .shakingHands(handshake, candidates: candidates)
    state = .connecting(attempt)
    switch outcome {
    case .unfinished: return .none
    case .proceed(let command): return .sendHandshake([command])
    case .busy(let errorReply):
      attempt.refusal = .busy(errorReply: errorReply)
      state = .connecting(attempt)
      return .awaitBusyServer(errorReply: errorReply, pause: Self.busyPause)
    case .failed(let kind, let detail): return .endContext(.abandoned(kind, detail: detail))
    case .ready(let identity):
      orphan = nil
      let login = Login(attemptedAt: attempt.begunAt, identity: identity, clientID: handshake.clientID)
      return handshakeDidFinish(login, at: now)
    }
  }

  private mutating func handshakeDidFinish(_ login: Login, at now: UInt64) -> ConnectionAction {
    guard service != .patient, case .probe = probation.connected(at: now) else {
      return becomeReady(login, awaitsProbeReply: false)
    }
    state = .proving(login, awaitsReply: true)
    return .beginProbation(.onProbation, timeout: probeTimeout)
  }

  private mutating func becomeReady(_ login: Login, awaitsProbeReply: Bool) -> ConnectionAction {
    epoch += 1
    wasRejected = false
    state = .ready(login)
    return .becomeReady(login.identity, awaitsProbeReply: awaitsProbeReply)
  }

  /// The time in which a probe must be answered.
  var probeTimeout: Duration { limits.commandTimeout(for: service) ?? limits.connectTimeout }

  /// The pause before the handshake is repeated at a server that a script keeps busy.
  static var busyPause: Duration { .milliseconds(100) }

  // MARK: Deadlines and service

  /// Fails the commands that have waited for the attempt for as long as they may.
  mutating func holdDeadlinePassed() -> ConnectionAction {
    guard service != .patient else { return .none }
    switch take() {
    case .starting: state = .waiting(refusal: .heldTooLong)
    case .connecting(var attempt):
      attempt.refusal = .heldTooLong
      state = .connecting(attempt)
    case let other: Self.impossible("a hold deadline passed", in: other)
    }
    return .failQueued(.heldTooLong)
  }

  /// Sets the time that commands may wait from now on, as the owner has decided.
  mutating func serviceDidChange(to service: Service) -> ConnectionAction {
    self.service = service
    guard service == .patient else { return .none }
    probation.pardon()
    switch take() {
    case .connecting(var attempt):
      attempt.refusal = nil
      state = .connecting(attempt)
    case .proving(let login, let awaitsReply):
      return becomeReady(login, awaitsProbeReply: awaitsReply)
    case let other: state = other
    }
    return .none
  }
}
