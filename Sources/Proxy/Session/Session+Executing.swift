internal import Hiredis
internal import MultiStore
internal import RESP

/// Sending a session's commands: forwarded over one connection, or executed alone.
extension Session {
  /// Whether a command may be forwarded over `connection` without overtaking another.
  func canForward(over connection: HiredisConnection) -> Bool {
    switch state.lane {
    case .idle: true
    case .forwarding(let count): path === connection && forwardWindow.hasRoom(count)
    case .executing: false
    }
  }

  /// Whether `command` stays in the input until `connection` has drained. It waits once at most.
  func waitsForDrain(of connection: HiredisConnection, _ command: Span<UInt8>) -> Bool {
    guard command.count >= SessionInput.largeCommandBytes, !hasWaited, connection.isCongested else { return false }
    state.hold(for: .congestion)
    connection.whenDrained(self)
    return true
  }

  /// Forwards one command; its reply comes next after those of the commands before.
  ///
  /// - Parameter identity: The command's identity in ``DeepReplies``; 0 if its reply can't be too deep.
  @inline(__always)
  func forward(_ command: Span<UInt8>, over connection: HiredisConnection, identity: Int = 0) {
    state.commandForwarded()
    if path !== connection { path = connection }
    // The size is compared first: reading the reference to a large command costs a reference count.
    if command.count >= SessionInput.largeCommandBytes, let largeCommand = input.largeCommand {
      connection.send(command, of: largeCommand, to: self, token: identity)
    } else {
      connection.send(command, to: self, token: identity)
    }
  }

  /// Executes a batch; nothing else is executed until it is done.
  ///
  /// - Parameter identity: The identity of a single command in ``DeepReplies``; 0 if its reply can't be too deep.
  func execute(
    _ batch: CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection? = nil,
    identity: Int = 0
  ) {
    executionBegins(batch, identity: identity)
    path = connection
    database.execute(batch, as: kind, routing: routing, over: connection, for: self)
  }

  /// Executes one command that waits on the session's own connection; nothing else is executed until it is done.
  func executeBlocking(
    _ command: Span<UInt8>,
    _ spec: CommandSpec,
    over connection: HiredisConnection,
    _ routing: Routing
  ) {
    let batch = batch(of: command, spec)
    executionBegins(batch)
    path = connection
    database.executeBlocking(batch, routing: routing, over: connection, for: self)
  }

  /// Calls `body`, which leads to ``executionDidFinish()``; nothing else is executed until then.
  func execute(_ body: () -> Void) {
    state.executionBegan()
    path = nil
    body()
  }

  /// Executes one command over a connection that hiredis does not read.
  ///
  /// - Returns: false if the limit of such connections is reached.
  func executeRaw(_ batch: CommandBatch, routing: Routing) -> Bool {
    path = nil
    // It may be answered before the call returns.
    executionBegins(batch)
    guard database.executeRaw(batch, routing: routing, for: self) else {
      state.executionEnded()
      executing = ExecutionInFlight()
      return false
    }
    return true
  }

  /// Records the beginning of an execution of `batch`, whose memory counts as the client's until it is done.
  private func executionBegins(_ batch: CommandBatch, identity: Int = 0) {
    state.executionBegan()
    executing = ExecutionInFlight(of: batch, identity: identity)
  }
}

extension Session: DrainWaiter {
  func connectionDidDrain() {
    hasWaited = true
    release(from: .congestion)
  }
}
