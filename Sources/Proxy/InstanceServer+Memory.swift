internal import EventLoop
internal import MultiStore
internal import PrometheusExposition

/// The memory of an instance's clients: what they use is reported here, and the governor's decisions are carried out.
extension InstanceServer {
  /// How often the governor looks at clients that make no progress.
  private static let watchNanoseconds: UInt64 = 100_000_000
  /// A change of fewer bytes is not reported.
  static let memoryGranularityBytes = 16 << 10
  /// So much less than there was has to be in use before memory is given back to the operating system.
  private static let trimmedBytes = 16 << 20

  /// A client uses another amount than it has reported last.
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
    }
    if memory.used > memory.mostInUse || new.total < old.total && governor.waitingCount > 0 {
      // Sessions are at work at this moment, and may be the ones that have to go.
      scheduleGovernor(after: .zero)
    } else {
      scheduleGovernor(after: .nanoseconds(Self.watchNanoseconds))
    }
  }

  /// Takes room for a large command.
  ///
  /// - Returns: false if the client has to wait: ``Session/memoryWasGranted()`` is called when there is room.
  func reserveMemory(_ bytes: Int, for session: Session) -> Bool {
    if governor.waitingCount == 0, memory.reserve(bytes) { return true }
    governor.enqueue(session.id, bytes: bytes)
    metrics.waitingForMemory.set(Double(governor.waitingCount))
    scheduleGovernor(after: .nanoseconds(Self.watchNanoseconds))
    return false
  }

  /// A client waits for room no more.
  func leaveMemoryLine(_ session: Session) {
    governor.leaveLine(session.id)
    metrics.waitingForMemory.set(Double(governor.waitingCount))
  }

  /// Gives memory back to the operating system after a peak. To be called every now and then.
  func trimMemory() {
    noteQueuedBytes()
    // All arenas are trimmed, those of other threads too, and then no peak is left for them.
    if memory.hasFallen(by: Self.trimmedBytes) { Heap.giveBackFreeMemory() }
  }

  private func scheduleGovernor(after delay: Duration) {
    guard !governor.isIdle, delay == .zero || !isGovernorScheduled else { return }
    isGovernorScheduled = true
    governorTimer.schedule(after: delay)
  }

  /// Carries out what the governor decides.
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
      case .grant(let id): client(id)?.memoryWasGranted()
      case .refuse(let id): if let session = client(id) { refuse(session) }
      case .cutOff(let id): client(id)?.cutOff(.memoryLimit)
      }
    }
  }

  /// Refuses what a client has begun to send, or cuts the client off if that is nothing.
  func refuse(_ session: Session) {
    if session.refuseForMemory() { metrics.memoryRefusals.increment() } else { session.cutOff(.memoryLimit) }
  }

  private func noteQueuedBytes() {
    let queued = multiStore.queuedBytes
    guard abs(queued - queuedBytesNoted) >= Self.memoryGranularityBytes else { return }
    memory.change(.queued, by: queued - queuedBytesNoted)
    queuedBytesNoted = queued
  }
}
