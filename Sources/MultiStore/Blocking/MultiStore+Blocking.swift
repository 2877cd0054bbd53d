internal import EventLoop
public import Hiredis
internal import RESP

/// The blocked commands of an instance.
struct BlockedCommands {
  /// How soon a store is asked again to unblock a command that it had not got yet.
  static let retryInterval = Duration.milliseconds(2)

  private(set) var all: [ObjectIdentifier: BlockedCommand] = [:]
  var retryTimer: LoopTimer?
  /// The number of blocked commands so far.
  var count = 0

  /// Whether some are cancelled, and have to end whatever becomes of the flip.
  var hasCancelled: Bool { all.values.contains { $0.isCancelled } }

  mutating func insert(_ command: BlockedCommand) {
    all[ObjectIdentifier(command)] = command
  }

  mutating func remove(_ command: BlockedCommand) {
    all[ObjectIdentifier(command)] = nil
  }
}

extension MultiStore {
  /// Executes a blocking command over the client's own connection. When the default store moves meanwhile, the command
  /// moves with it, and `sink` is asked for a connection to the new one.
  public func executeBlocking(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    for sink: ReplySink
  ) {
    root.blockedCommands.count += 1
    BlockedCommand(multiStore: self)
      .start(batch, routing: routing, over: connection, sink: sink, order: root.blockedCommands.count)
  }

  /// Cancels the blocked command of `sink`. It is answered as after its timeout, or with an element that was there
  /// first. It stays blocked if the store can't be asked to unblock it.
  ///
  /// - Returns: whether there is such a command.
  public func callOffBlockedCommands(of sink: ReplySink) -> Bool {
    let commands = root.blockedCommands.all.values.filter { $0.sink === sink }
    for command in commands { command.cancel() }
    return !commands.isEmpty
  }

  /// Whether a move of the default store waits for a blocked command.
  var awaitsBlockedCommands: Bool { blockedCommands.all.values.contains { $0.isUnblocking } }

  /// Unblocks the commands that wait on a store that is to be the default one no longer.
  func unblockCommands(on role: StoreRole) {
    for command in blockedCommands.all.values where command.role == role { command.unblock() }
  }

  func retryUnblockingLater() {
    guard !routingState.flip.isSettled || blockedCommands.hasCancelled else { return endUnblocking() }
    if blockedCommands.retryTimer == nil {
      blockedCommands.retryTimer = LoopTimer(on: loop) { [unowned self] in
        for command in blockedCommands.all.values { command.retry() }
      }
    }
    blockedCommands.retryTimer?.schedule(after: BlockedCommands.retryInterval)
  }

  func didPark(_ command: BlockedCommand) {
    if routingState.flip.isSettled { command.resume(routingState.flip.current) } else { advanceRouting() }
  }

  /// Sends parked commands to the default store, in the order of their arrival. The flip is over.
  func resumeBlockedCommands() {
    endUnblocking()
    let parked = blockedCommands.all.values.filter { $0.isParked }
    for command in parked.sorted(by: { $0.order < $1.order }) { command.resume(routingState.flip.current) }
  }

  private func endUnblocking() {
    if !blockedCommands.hasCancelled { blockedCommands.retryTimer?.cancel() }
    for command in blockedCommands.all.values { command.flipEnded() }
  }
}
