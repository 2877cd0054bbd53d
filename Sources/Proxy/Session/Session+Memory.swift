internal import MultiStore
internal import RESP

/// The client's share of `memory_limit`, and its treatment when that is reached.
extension Session {
  /// The step in which room is reserved for commands whose length is not known, in bytes.
  private static let reservationStepBytes = 1 << 20

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
    let (held, output) = (heldBytes, output.count + pendingBefore + heldPushBytes + (subscription?.nameBytes ?? 0))
    let isSmall = inputCount + held + output < InstanceServer.memoryGranularityBytes
    guard !isSmall || memory != ClientMemory() else { return }
    reportMemory(held: held, output: output)
  }

  private func reportMemory(held: Int, output: Int) {
    askForRoom(held: held)
    var now = ClientMemory(input: inputCount, held: held, output: output)
    now.reserved = max(0, room.granted - now.input - now.held)
    let change = abs(now.input - memory.input) + abs(now.held - memory.held) + abs(now.output - memory.output)
    guard change >= InstanceServer.memoryGranularityBytes || now.reserved != memory.reserved || now.total == 0 else {
      return
    }
    let old = memory
    memory = now
    server.memoryChanged(of: self, from: old, to: now)
  }

  /// Asks for the room that the client needs for its commands and was not granted yet.
  private func askForRoom(held: Int) {
    let needed = max(input.knownLength, inputCount) + held
    guard needed > MemoryGovernor.smallBytes, !isGone else {
      if room.isAwaited {
        server.leaveMemoryLine(self)
        // The command has arrived all the same, and the client was not read since.
        if !isGone { finishTurn() }
      }
      room = MemoryRoom()
      return
    }
    let wanted = needed * (instance.hasPrimary && instance.flags.state.dualWrite ? 2 : 1)
    guard wanted > room.granted, !room.isAwaited, !input.isRefusing else { return }
    let step = Self.reservationStepBytes
    let granted = (wanted + step - 1) / step * step
    guard granted <= server.memory.roomForLargeCommands else {
      return server.refuse(self)
    }
    room.asked = granted
    let missing = missingRoom
    if server.reserveMemory(missing, for: self) {
      memory.reserved += missing
      room.granted = granted
    } else {
      room.isAwaited = true
    }
  }

  /// The bytes that are still to be reserved for the room that was asked for. The bytes that have arrived are in use
  /// already, and would be counted twice: a command that needs nearly all of the room could never be granted it. Nor do
  /// a few replies count that the client has not taken, since no other client can make room for those.
  var missingRoom: Int {
    let used = memory.input + memory.held + memory.reserved + min(memory.output, MemoryGovernor.smallBytes)
    return max(0, room.asked - used)
  }

  /// Whether memory may be reserved for a command of this length.
  func hasRoom(forCommandOf length: Int) -> Bool {
    length <= MemoryGovernor.smallBytes || length <= room.granted
  }

  /// Continues a large command for which there is room now.
  func memoryWasGranted() {
    guard room.isAwaited else { return }
    room.isAwaited = false
    memory.reserved += missingRoom
    room.granted = room.asked
    finishTurn()
  }

  /// Refuses the arriving command, or the open transaction, with an error.
  ///
  /// - Returns: false if there is neither.
  func refuseForMemory() -> Bool {
    if room.isAwaited { server.leaveMemoryLine(self) }
    room.isAwaited = false
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
      if replyMode == .skipNext { setReplyMode(.on) } else { output.appendError(Self.outOfMemory) }
      finishTurn()
    }
    if let error = skip.error { rejectInput(error) }
    return skip.consumed
  }
}

/// The memory that a client has been granted for its commands, including those that are held.
struct MemoryRoom {
  /// The granted bytes.
  var granted = 0
  /// The granted bytes once there is room.
  var asked = 0
  /// Whether the client waits for `asked`, and is not read.
  var isAwaited = false
}
