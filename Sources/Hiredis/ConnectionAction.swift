internal import EventLoop

/// The step that a connection takes after an event, as ``ConnectionStateMachine`` decides.
enum ConnectionAction: Equatable {
  case none
  /// Start the attempt timer.
  case startTimer(after: Duration)
  /// Ask the program for the password, which may take `timeout`.
  case fetchLogin(timeout: Duration)
  /// Ask the locator where the server is, which may take `timeout`.
  case locate(timeout: Duration)
  /// Look up the addresses of `host`; the attempt from here on may take `timeout`.
  case resolve(host: String, port: Int, timeout: Duration)
  /// Connect to `address`. The attempt may take `timeout`; nil if its time is running already.
  case connect(to: SocketAddress, timeout: Duration?)
  /// Send commands of the handshake.
  case sendHandshake([[UInt8]])
  /// Fail the queued commands with a busy server's error reply, and start the attempt timer.
  case awaitBusyServer(errorReply: String, pause: Duration)
  /// Send the commands of the handshake again that a busy server has refused; their replies may take `timeout`.
  case repeatHandshake([UInt8], timeout: Duration)
  /// Fail the queued commands, and send a probe, whose reply may take `timeout`.
  case beginProbation(ConnectionFailure, timeout: Duration)
  /// Send a probe, whose reply may take `timeout`.
  case sendProbe(timeout: Duration)
  /// End the context; its end is the next event.
  case endContext(ContextEnd)
  /// Send the queued commands, and notify the delegate.
  case becomeReady(ServerIdentity, awaitsProbeReply: Bool)
  /// Fail the queued commands, while the attempt continues.
  case failQueued(ConnectionFailure)
  /// Fail the queued commands, schedule the next attempt, and notify the delegate.
  case becomeUnavailable(ConnectionDownReason)
  /// The same after the loss of a working connection.
  case failInFlight(ConnectionLoss)
  /// Schedule the next attempt, which commands wait for.
  case reconnect(after: Duration, detail: String)
}

/// The end of a working connection on which replies were awaited.
struct ConnectionLoss: Equatable {
  let reason: ConnectionDownReason
  /// The failure of the oldest command in flight that counts, if it differs from the others'.
  let oldest: ConnectionFailure?
  /// The failure of the other commands in flight. Those that were never sent fail as not connected.
  let others: ConnectionFailure
}

extension ConnectionLoss {
  init(_ end: ContextEnd, _ reason: ConnectionDownReason) {
    self.reason = reason
    switch end {
    case .abandoned(.commandTimedOut, _):
      oldest = .timedOut
      others = .connectionLost(reason: "another command on the same connection got no reply in time")
    case .replyTooDeep:
      oldest = .connectionLost(reason: ConnectionFailure.tooDeep)
      others = .connectionLost(reason: ConnectionFailure.neighbourTooDeep)
    case .failed, .tlsFailed, .protocolViolated, .abandoned:
      oldest = nil
      others = .connectionLost(reason: reason.detail)
    }
  }
}

/// The commands that a connection had without a reply when its context ended.
struct UnansweredCommands {
  /// Whether any of them may be executed by the store.
  let areInFlight: Bool
  /// Whether a sender waits for a reply.
  let areAwaited: Bool
  /// Whether the connection has answered no command before that counts.
  var areFirst = false
}

/// The treatment of a command that is sent while the connection is not ready.
enum ConnectionAdmission: Equatable {
  /// It waits for the attempt to connect.
  case hold
  case fail(ConnectionFailure)
}

/// The states of a connection by name.
enum ConnectionPhase: String, CaseIterable, Codable, Sendable {
  case idle, starting, waiting, fetchingLogin, locating, resolving, connecting, securing, shakingHands
  case betweenProbes, awaitingProbe
  case ready, closed
}
