internal import EventLoop
internal import TLS

/// The events on the way from an address to a connected context.
extension ConnectionStateMachine {
  /// Begins to connect. Changes nothing the second time.
  mutating func connect() -> ConnectionAction {
    guard phase == .idle else { return .none }
    state = .starting
    return .startTimer(after: .zero)
  }

  /// Begins the next attempt now, if the connection waits for it: the store was reached over another connection.
  mutating func retryNow(at now: UInt64) -> ConnectionAction {
    phase == .waiting ? attemptTimerFired(at: now) : .none
  }

  /// Handles the attempt timer: the next attempt or probe is due, or the present one has taken too long.
  mutating func attemptTimerFired(at now: UInt64) -> ConnectionAction {
    switch take() {
    case .starting:
      return beginAttempt(refusal: nil, at: now)
    case .waiting(let refusal):
      return beginAttempt(refusal: service == .patient ? nil : refusal, at: now)
    case .connecting(let attempt):
      switch attempt.stage {
      // The program has a time limit of its own.
      case .fetchingLogin: Self.impossible("the attempt timer fired", in: .connecting(attempt))
      case .locating:
        return fail(.timedOut, "\(endpoint.location) has named no master within \(limits.connectTimeout)")
      case .resolving:
        return fail(.timedOut, "\(serverName) could not be resolved within \(limits.connectTimeout)")
      case .shakingHands(var handshake, let candidates) where handshake.isRefused:
        let commands = handshake.repetition()
        var attempt = attempt
        attempt.stage = .shakingHands(handshake, candidates: candidates)
        state = .connecting(attempt)
        return .repeatHandshake(commands, timeout: limits.connectTimeout)
      case .securing:
        state = .connecting(attempt)
        let detail = "no TLS handshake within \(limits.connectTimeout); the port may be one without TLS"
        return .endContext(.abandoned(.timedOut, detail: detail))
      case .connecting, .shakingHands: break
      }
      state = .connecting(attempt)
      return .endContext(.abandoned(.timedOut, detail: "no connection within \(limits.connectTimeout)"))
    case .proving(let login, awaitsReply: false):
      state = .proving(login, awaitsReply: true)
      return .sendProbe(timeout: probeTimeout)
    case .proving(let login, awaitsReply: true):
      state = .proving(login, awaitsReply: true)
      return .endContext(.abandoned(.timedOut, detail: "no reply to a probe within \(probeTimeout)"))
    case let other: Self.impossible("the attempt timer fired", in: other)
    }
  }

  private mutating func beginAttempt(refusal: ConnectionFailure?, at now: UInt64) -> ConnectionAction {
    guard endpoint.passwordCommand == nil else {
      state = .connecting(Attempt(begunAt: now, refusal: refusal, stage: .fetchingLogin))
      return .fetchLogin(timeout: limits.connectTimeout)
    }
    return locate(Attempt(begunAt: now, refusal: refusal, stage: .fetchingLogin))
  }

  /// Records that the password for this attempt is known.
  mutating func loginDidArrive() -> ConnectionAction {
    let attempt = takeAttempt("a login arrived")
    guard case .fetchingLogin = attempt.stage else { Self.impossible("a login arrived", in: .connecting(attempt)) }
    return locate(attempt)
  }

  /// Records that the program has given no password.
  mutating func loginDidFail(_ detail: String) -> ConnectionAction {
    let attempt = takeAttempt("a login failed")
    guard case .fetchingLogin = attempt.stage else { Self.impossible("a login failed", in: .connecting(attempt)) }
    return fail(.authenticationRejected, detail)
  }

  /// Begins to ask where the server is, unless its address is fixed.
  private mutating func locate(_ attempt: Attempt) -> ConnectionAction {
    if case .address(let address) = endpoint.location { return reach(address, attempt) }
    var attempt = attempt
    attempt.stage = .locating
    state = .connecting(attempt)
    return .locate(timeout: limits.connectTimeout)
  }

  /// Records that the server is at `address`. Changes nothing if the attempt has not waited for it for that long.
  mutating func didLocate(_ address: SocketAddress) -> ConnectionAction {
    guard phase == .locating else { return .none }
    let attempt = takeAttempt("the server was located")
    server = address
    return reach(address, attempt)
  }

  /// Records that nobody knows where the server is. Changes nothing if the attempt has not waited for it for that long.
  mutating func didNotLocate(_ detail: String) -> ConnectionAction {
    phase == .locating ? fail(.connectFailed, detail) : .none
  }

  /// Begins to look the server's host up, or to connect.
  private mutating func reach(_ address: SocketAddress, _ attempt: Attempt) -> ConnectionAction {
    var attempt = attempt
    // hiredis would resolve a name itself, and block the loop meanwhile.
    if case .tcp(let host, let port) = address, !HostLookup.isLiteral(host) {
      attempt.stage = .resolving(nil)
      state = .connecting(attempt)
      return .resolve(host: host, port: port, timeout: limits.connectTimeout)
    }
    attempt.stage = .connecting(candidates: [])
    state = .connecting(attempt)
    return .connect(to: address, timeout: limits.connectTimeout)
  }

  /// The server's address in messages.
  var serverName: String { server.map { "\($0)" } ?? "\(endpoint.location)" }

  /// Records that the lookup that ``ConnectionAction/resolve(host:timeout:)`` asked for has begun.
  mutating func lookupDidBegin(_ lookup: Lookup) {
    var attempt = takeAttempt("a lookup began")
    guard case .resolving = attempt.stage else { Self.impossible("a lookup began", in: .connecting(attempt)) }
    attempt.stage = .resolving(lookup)
    state = .connecting(attempt)
  }

  /// Records the addresses that the lookup has found, in the order in which they are to be tried.
  mutating func lookupDidFinish(_ addresses: [SocketAddress]) -> ConnectionAction {
    let attempt = takeAttempt("a lookup finished")
    guard case .resolving = attempt.stage else { Self.impossible("a lookup finished", in: .connecting(attempt)) }
    return connect(attempt, to: addresses[...], failure: "\(serverName) has no address")
  }

  /// Records that the lookup has found no address, or could not begin.
  mutating func lookupDidFail(_ detail: String) -> ConnectionAction {
    let attempt = takeAttempt("a lookup failed")
    guard case .resolving = attempt.stage else { Self.impossible("a lookup failed", in: .connecting(attempt)) }
    return fail(.connectFailed, detail)
  }

  /// Records that no context could be made for `address`.
  mutating func connectDidFail(to address: SocketAddress, _ reason: String) -> ConnectionAction {
    let attempt = takeAttempt("no context could be made")
    guard case .connecting(let candidates) = attempt.stage else {
      Self.impossible("no context could be made", in: .connecting(attempt))
    }
    return connect(attempt, to: candidates, failure: "\(address): \(reason)")
  }

  /// Records that the files for TLS can't be used.
  mutating func tlsDidFail(_ failure: TLSFailure) -> ConnectionAction {
    let attempt = takeAttempt("TLS could not begin")
    guard case .connecting = attempt.stage else { Self.impossible("TLS could not begin", in: .connecting(attempt)) }
    return fail(.tlsFailed, failure.message)
  }

  /// Records that the context has connected, and that its TLS shakes hands.
  mutating func contextDidReachStore() {
    var attempt = takeAttempt("TLS began")
    guard case .connecting(let candidates) = attempt.stage else {
      Self.impossible("TLS began", in: .connecting(attempt))
    }
    attempt.stage = .securing(candidates: candidates)
    state = .connecting(attempt)
  }

  /// Records that the context has connected, and that its TLS, if there is any, is agreed upon.
  ///
  /// - Parameters:
  ///   - login: the endpoint with the login of this connection; nil for the one of all connections.
  ///   - options: the options of its handshake.
  mutating func contextDidConnect(
    login: StoreEndpoint? = nil,
    options: HandshakeOptions
  ) -> ConnectionAction {
    var attempt = takeAttempt("a context connected")
    let candidates: ArraySlice<SocketAddress>
    switch attempt.stage {
    case .connecting(let left), .securing(let left): candidates = left
    case .fetchingLogin, .locating, .resolving, .shakingHands:
      Self.impossible("a context connected", in: .connecting(attempt))
    }
    let handshake = Handshake(endpoint: login ?? endpoint, options, orphan: orphan)
    attempt.stage = .shakingHands(handshake, candidates: candidates)
    state = .connecting(attempt)
    return .sendHandshake(handshake.commands)
  }

  /// Tries the next candidate; fails for the reason given if none is left.
  mutating func connect(
    _ attempt: Attempt,
    to candidates: ArraySlice<SocketAddress>,
    failure: String
  ) -> ConnectionAction {
    guard let address = candidates.first else { return fail(.connectFailed, failure) }
    var attempt = attempt
    attempt.stage = .connecting(candidates: candidates.dropFirst())
    state = .connecting(attempt)
    return .connect(to: address, timeout: nil)
  }

  /// Takes the present attempt out of the state for `event`, which can occur in no other state.
  private mutating func takeAttempt(_ event: String) -> Attempt {
    switch take() {
    case .connecting(let attempt): return attempt
    case let other: Self.impossible(event, in: other)
    }
  }
}
