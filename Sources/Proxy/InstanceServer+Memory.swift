internal import EventLoop
internal import MultiStore
internal import PrometheusExposition

/// The memory of an instance's clients: sessions report their use, and the governor's decisions are carried out here.
extension InstanceServer {
  /// The interval at which the governor checks for clients that make no progress.
  private static let watchNanoseconds: UInt64 = 100_000_000
  /// The fall below the peak, in bytes, from which memory is returned to the operating system.
  private static let trimmedBytes = 16 << 20

  /// Records a change in the memory that a client uses.
  func memoryChanged(of session: Session, from old: ClientMemory, to new: ClientMemory) {
    let changes: [(part: MemoryPart, bytes: Int)] = [
      (.input, new.input - old.input), (.reserved, new.reserved - old.reserved),
      (.held, new.held - old.held), (.output, new.output - old.output),
    ]
    for (part, bytes) in changes where bytes != 0 { memory.change(part, by: bytes) }
    noteQueuedBytes()
    if session.isGone, new.total == 0 {
      governor.remove(session.id)
    } else {
      governor.note(new, of: session.id, isExecuting: session.isWithStore)
      if session.memory.isWaiting { governor.update(session.id, bytes: session.memory.missing) }
    }
    if memory.used > memory.mostInUse || new.total < old.total && governor.waitingCount > 0 {
      // Scheduled instead of called: sessions are running at this moment, and may be the ones to be closed.
      scheduleGovernor(after: .zero)
    } else {
      scheduleGovernor(after: .nanoseconds(Self.watchNanoseconds))
    }
  }

  /// Reserves memory for a large command.
  ///
  /// - Returns: false if the client has to wait: ``Session/memoryWasGranted()`` is called when there is room.
  func reserveMemory(_ bytes: Int, for session: Session) -> Bool {
    if governor.waitingCount == 0, memory.reserve(bytes) { return true }
    governor.enqueue(session.id, bytes: bytes)
    metrics.waitingForMemory.set(Double(governor.waitingCount))
    scheduleGovernor(after: .nanoseconds(Self.watchNanoseconds))
    return false
  }

  /// Removes a client from the line for memory.
  func leaveMemoryLine(_ session: Session) {
    governor.leaveLine(session.id)
    metrics.waitingForMemory.set(Double(governor.waitingCount))
  }

  /// Returns memory to the operating system after a peak. Called periodically.
  func trimMemory() {
    noteQueuedBytes()
    // Trims all arenas, those of other threads too: the peak is shared, and they find none afterwards.
    if memory.hasFallen(by: Self.trimmedBytes) { Heap.giveBackFreeMemory() }
  }

  private func scheduleGovernor(after delay: Duration) {
    guard !governor.isIdle, delay == .zero || !isGovernorScheduled else { return }
    isGovernorScheduled = true
    governorTimer.schedule(after: delay)
  }

  /// Carries out the governor's decisions.
  func govern() {
    isGovernorScheduled = false
    noteQueuedBytes()
    carryOut(governor.decide(memory))
    if loop.now - governedAt >= Self.watchNanoseconds {
      governedAt = loop.now
      carryOut(governor.check(memory))
    }
    metrics.waitingForMemory.set(Double(governor.waitingCount))
    scheduleGovernor(after: .nanoseconds(Self.watchNanoseconds))
  }

  private func carryOut(_ actions: [MemoryGovernor.Action]) {
    for action in actions {
      switch action {
      case .grant(let id):
        guard let session = client(id) else { continue }
        session.memoryWasGranted()
        governor.note(session.memory.reported, of: id, isExecuting: session.isWithStore)
      case .refuse(let id): if let session = client(id) { refuse(session) }
      case .cutOff(let id): client(id)?.cutOff(.memoryLimit)
      }
    }
  }

  /// Refuses the command that a client is sending, or its open transaction; closes the connection if it has neither.
  func refuse(_ session: Session) {
    if session.refuseForMemory() { metrics.memoryRefusals.increment() } else { session.cutOff(.memoryLimit) }
  }

  private func noteQueuedBytes() {
    let queued = multiStore.queuedBytes
    guard abs(queued - queuedBytesNoted) >= MemoryAccount.granularityBytes else { return }
    memory.change(.queued, by: queued - queuedBytesNoted)
    queuedBytesNoted = queued
  }
}
