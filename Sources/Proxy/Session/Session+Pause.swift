internal import MultiStore
internal import RESP

/// A client whose next command waits for the end of a pause; see ``ClientPause``.
extension Session {
  /// Whether the instance's pause holds a command.
  func isHeldByPause(_ bytes: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int) -> Bool {
    var facts = admissionFacts
    facts.transactionMayReplicate = spec.id == .exec && transaction?.batch.mayReplicate == true
    return server.pause.holds(bytes, spec, argumentCount: argumentCount, facts)
  }

  /// Keeps the command at the beginning of the input there until the pause ends. Nothing is in flight.
  ///
  /// A client that has ended, or that the sidecar is about to leave, does not wait: like a server, the sidecar closes
  /// the connection, and the command is not executed.
  func waitForEndOfPause(_ spec: CommandSpec) {
    guard state.mayRead else { return closeAfterReplies() }
    lastCommand = spec.id
    // Other clients' large commands do not wait for this one's.
    endLargeWrite()
    state.hold(for: .pause)
    server.didPause(self)
  }

  /// Closes a client that waits for the end of a pause, without executing its commands: it has ended, or the sidecar
  /// shuts down.
  func abandonPause() {
    guard server.leavePause(self) else { return }
    state.release(from: .pause)
    closeAfterReplies()
  }
}
