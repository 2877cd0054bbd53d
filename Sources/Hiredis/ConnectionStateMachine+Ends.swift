internal import EventLoop
internal import TLS

/// Failed attempts, and the ends of connections.
extension ConnectionStateMachine {
  /// The delay before the next attempt at a store that has rejected a login twice, or a database, or with which TLS
  /// failed: the cause is most probably a mistake in a configuration, and servers log each rejection.
  static var rejectionDelay: Duration { .seconds(1) }

  /// The connections in a row that end with their first commands, after which a dispensable store has to prove itself.
  static var mostUselessConnections: Int { 2 }

  /// Records that the context has ended.
  mutating func contextDidEnd(_ end: ContextEnd, _ unanswered: UnansweredCommands, at now: UInt64) -> ConnectionAction {
    switch take() {
    case .connecting(let attempt):
      guard let candidates = attempt.candidates else { Self.impossible("a context ended", in: .connecting(attempt)) }
      if case .abandoned(let kind, let detail) = end { return fail(kind, detail) }
      if case .tlsFailed(let failure) = end, candidates.isEmpty { return fail(.tlsFailed, failure.message) }
      return connect(attempt, to: candidates, failure: "\(serverName): \(end.detail)\(hint(at: attempt, end))")
    case .proving:
      if case .abandoned(let kind, let detail) = end { return fail(kind, detail) }
      if case .tlsFailed(let failure) = end { return fail(.tlsFailed, failure.message) }
      return fail(.connectFailed, end.detail)
    case .ready(let login):
      return lose(login, end, unanswered, at: now)
    case let other: Self.impossible("a context ended", in: other)
    }
  }

  /// Returns a possible cause for the failure's text. Servers with TLS close a connection that begins without. In TLS
  /// 1.3 they look at the client's certificate last, and their alert is lost if they close with commands unread.
  private func hint(at attempt: Attempt, _ end: ContextEnd) -> String {
    guard case .shakingHands(let handshake, _) = attempt.stage, !handshake.hasReplies else { return "" }
    switch end {
    case .failed where endpoint.tls != nil: return "; the store may require a certificate, or refuse this one"
    case .failed, .protocolViolated:
      return endpoint.tls == nil ? "; the port may be one with TLS, for which a URL begins with rediss://" : ""
    case .tlsFailed, .replyTooDeep, .abandoned: return ""
    }
  }

  /// Records that an attempt has failed.
  mutating func fail(_ kind: ConnectionDownReason.Kind, _ detail: String) -> ConnectionAction {
    var delay = backoff.next()
    switch kind {
    // A password that was changed a moment ago is read again at once.
    case .authenticationRejected where !wasRejected: wasRejected = true
    case .authenticationRejected, .databaseRejected, .tlsFailed: delay = max(delay, Self.rejectionDelay)
    default: break
    }
    let reason = ConnectionDownReason(kind: kind, detail: detail, attempt: backoff.attempt, retryDelay: delay)
    state = .waiting(refusal: .notConnected(reason: reason.description))
    return .becomeUnavailable(reason)
  }

  /// Records that a working connection has ended.
  private mutating func lose(
    _ login: Login,
    _ end: ContextEnd,
    _ unanswered: UnansweredCommands,
    at now: UInt64
  ) -> ConnectionAction {
    if unanswered.areInFlight, let clientID = login.clientID, let runID = login.identity.runID {
      orphan = Orphan(clientID: clientID, runID: runID)
    }
    state = .starting
    if !unanswered.areFirst { uselessConnections = 0 } else if unanswered.areAwaited { uselessConnections += 1 }
    let delay = backoff.restart(after: .nanoseconds(Int64(clamping: now &- login.attemptedAt)))
    // Servers, and proxies between, close idle connections.
    if case .failed(let detail) = end, !unanswered.areAwaited { return .reconnect(after: delay, detail: detail) }
    let kind = if case .abandoned(let kind, _) = end { kind } else { ConnectionDownReason.Kind.lost }
    let reason = ConnectionDownReason(kind: kind, detail: end.detail, attempt: backoff.attempt, retryDelay: delay)
    let isUseless = kind == .commandTimedOut || uselessConnections >= Self.mostUselessConnections
    if isUseless, service != .patient {
      // A store that has just let a command time out is not worth waiting for if it is dispensable; nor is one that
      // shakes hands and ends each connection at the first command, for which each command would wait anew.
      probation.commandTimedOut(at: now)
      state = .waiting(refusal: .notConnected(reason: reason.description))
    }
    return .failInFlight(ConnectionLoss(end, reason))
  }

  /// Ends the connection, or the attempt, to a server that has been replaced by the one at `address`.
  mutating func serverDidMove(to address: SocketAddress) -> ConnectionAction {
    guard let server, server != address else { return .none }
    let detail = "the sentinels have named \(address) in place of \(server)"
    switch take() {
    case .connecting(let attempt):
      if case .resolving = attempt.stage { return fail(.connectFailed, detail) }
      state = .connecting(attempt)
      return attempt.candidates == nil ? .none : .endContext(.abandoned(.connectFailed, detail: detail))
    case .waiting(let refusal):
      state = .waiting(refusal: refusal)
      return .startTimer(after: .zero)
    case .proving(let login, let awaitsReply):
      state = .proving(login, awaitsReply: awaitsReply)
    case .ready(let login):
      state = .ready(login)
    case let other:
      state = other
      return .none
    }
    return .endContext(.failed(detail))
  }

  /// Records that the owner has closed the connection.
  mutating func close() {
    state = .closed
  }
}
