internal import MultiStore
internal import RESP

/// A client that waits or is idle, and the resources that it uses meanwhile.
extension Session {
  /// Whether a command like BLPOP waits on the session's own connection.
  var isBlocked: Bool {
    guard state.lane != .idle, let connection = own.connection, path === connection else { return false }
    let traits = CommandTable.spec(lastCommand).traits
    // A command that blocks only by an option is an execution if it blocks, and is forwarded if it just reads.
    return state.isExecuting ? traits.mayBlock : traits.contains(.blocks)
  }

  /// Whether the client waits for messages or for others' commands, and so may be silent.
  var listens: Bool { subscription != nil || isMonitoring }

  /// Notices that the client takes its replies, however slowly, or continues a large command. Called at regular
  /// intervals.
  func notePace() {
    pace.look(pendingWriteBytes: stream.pendingWriteBytes, inputBytes: inputCount, at: server.loop.now)
  }

  /// Closes the session's own connections if a command has had no reply within the store's command timeout and does not
  /// wait for others. Called at regular intervals: the connections themselves cannot tell the two cases apart. Blocking
  /// commands are left to their instance.
  func expireOwnConnections() {
    subscription?.expire()
    if !isBlocked, !isQuiet { own.expire() }
  }

  /// Closes the session's own connection, unless it watches keys or executes a command.
  func releaseUnusedConnection() {
    if isQuiet, !own.watch.isOpen { own.close() }
  }

  /// Returns memory that an idle client does not use.
  func trim() {
    if output.isEmpty { output.removeAll(keepingCapacityUpTo: 0) }
    input.trim()
  }

  /// The bytes of input that are not executed yet.
  var inputCount: Int { input.count }

  /// The bytes of commands in a transaction or in execution.
  var heldBytes: Int { executing.bytes + (transaction?.batch.memoryBytes ?? 0) }

  /// The bytes of replies that the client has not taken.
  var owedBytes: Int { output.count + stream.pendingWriteBytes }

  /// Whether the client takes its replies fast enough for further commands to be executed.
  var hasHeadroom: Bool { hasRoom(for: owedBytes, below: Self.outputHighWater) }

  /// Whether more may be kept in addition to `bytes`. While memory is short, the limit is low.
  func hasRoom(for bytes: Int, below highWater: Int) -> Bool {
    bytes < Self.keptCapacity || bytes < highWater && !server.memory.isTight
  }
}
