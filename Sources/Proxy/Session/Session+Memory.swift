internal import MultiStore
internal import RESP

/// The client's share of `memory_limit`, and its treatment when that is reached.
extension Session {
  /// The error for a command for which there is no memory; `OOM` is a server's code for it.
  private static let outOfMemory =
    "OOM MultiStore: memory_limit of the sidecar is reached, and this client uses more of it than others; try again "
    + "later, send less at once, or raise memory_limit"

  /// Whether a command of the client's is with a store, so that the client cannot make progress.
  var isWithStore: Bool { !isQuiet && !isBlocked }

  /// Reports the memory that the client uses, and asks for room for a large command. Called at the end of a turn, and
  /// after a read that needs none.
  @inline(__always)
  func accountForMemory() {
    let held = heldBytes
    let output = output.count + pendingBefore + delivery.heldPushBytes + (subscription?.nameBytes ?? 0)
    if memory.isIdle(using: inputCount + held + output) { return }
    askForRoom(held: held)
    if let old = memory.use(input: inputCount, held: held, output: output) {
      server.memoryChanged(of: self, from: old, to: memory.reported)
    }
  }

  /// Asks for the room that the client needs for its commands and was not granted yet.
  private func askForRoom(held: Int) {
    let step = memory.need(
      isGone ? 0 : max(input.knownLength, inputCount) + held,
      copies: instance.hasPrimary && instance.flags.state.dualWrite ? 2 : 1,
      limit: server.memory.roomForLargeCommands,
      mayAsk: !input.isRefusing
    )
    switch step {
    case .proceed: break
    case .leaveLine:
      server.leaveMemoryLine(self)
      // The command has arrived all the same, and the client was not read since.
      if !isGone { finishTurn() }
    case .reserve(let bytes): if server.reserveMemory(bytes, for: self) { memory.wasGranted() }
    case .refuse: server.refuse(self)
    }
  }

  /// Continues a large command for which there is room now.
  func memoryWasGranted() {
    if memory.wasGranted() { finishTurn() }
  }

  /// Refuses the arriving command, or the open transaction, with an error.
  ///
  /// - Returns: false if there is neither.
  func refuseForMemory() -> Bool {
    if memory.wasRefused() { server.leaveMemoryLine(self) }
    var isRefused = false
    if let held = transaction?.batch, held.byteCount > 0 {
      transaction?.drop()
      isRefused = true
    }
    if input.refuse() {
      transaction?.isRefused = true
      isRefused = true
    }
    if isRefused { finishTurn() }
    return isRefused
  }

  /// Skips the refused command, and answers it in its turn.
  ///
  /// - Returns: the number of bytes consumed.
  func skipRefusedCommand(in bytes: Span<UInt8>) -> Int {
    let skip = input.skip(bytes, isNext: isQuiet)
    if skip.isAnswerDue {
      if !delivery.inputIsNoCommand() { output.appendError(Self.outOfMemory) }
      finishTurn()
    }
    if let error = skip.error { rejectInput(error) }
    return skip.consumed
  }
}
