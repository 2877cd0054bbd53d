internal import EventLoop
public import Hiredis
internal import RESP

/// The commands that wait for something to happen on a store.
struct BlockedCommands {
  /// How soon a store is asked again to call off a command that it had not got yet.
  static let retryInterval = Duration.milliseconds(2)

  private(set) var all: [ObjectIdentifier: BlockedCommand] = [:]
  var retryTimer: LoopTimer?
  /// How many there have been.
  var count = 0

  /// True while some are called off for good, whatever becomes of the flags.
  var hasCalledOff: Bool { all.values.contains { $0.isCalledOff } }

  mutating func insert(_ command: BlockedCommand) {
    all[ObjectIdentifier(command)] = command
  }

  mutating func remove(_ command: BlockedCommand) {
    all[ObjectIdentifier(command)] = nil
  }
}

extension MultiStore {
  /// Executes a blocking command over a connection that is the client's own. When the default store moves meanwhile, it
  /// is taken along, and asks `sink` for a connection to the new one.
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

  /// Ends the waiting of what `sink` waits for, which is answered as if its time was over, or with what there was for
  /// it after all. Goes on waiting where the store can't be asked for that.
  ///
  /// - Returns: whether there is such a command.
  public func callOffBlockedCommands(of sink: ReplySink) -> Bool {
    let commands = root.blockedCommands.all.values.filter { $0.sink === sink }
    for command in commands { command.callOff() }
    return !commands.isEmpty
  }

  /// True while it is worth waiting for a blocked command.
  var awaitsBlockedCommands: Bool { blockedCommands.all.values.contains { $0.isUnblocking } }

  /// Calls off what waits on a store that will not be the default one any more.
  func unblockCommands(on role: StoreRole) {
    for command in blockedCommands.all.values where command.role == role { command.unblock() }
  }

  func askToUnblockLater() {
    guard routingState.pending != nil || blockedCommands.hasCalledOff else { return stopUnblocking() }
    if blockedCommands.retryTimer == nil {
      blockedCommands.retryTimer = LoopTimer(on: loop) { [unowned self] in
        for command in blockedCommands.all.values { command.askToUnblock() }
      }
    }
    blockedCommands.retryTimer?.schedule(after: BlockedCommands.retryInterval)
  }

  func didPark(_ command: BlockedCommand) {
    if routingState.phase == .settled { command.resume(routingState.current) } else { advanceRouting() }
  }

  /// The routing is in force: what was called off is sent anew, in the order in which it came.
  func resumeBlockedCommands() {
    stopUnblocking()
    let parked = blockedCommands.all.values.filter { $0.isParked }
    for command in parked.sorted(by: { $0.order < $1.order }) { command.resume(routingState.current) }
  }

  private func stopUnblocking() {
    if !blockedCommands.hasCalledOff { blockedCommands.retryTimer?.cancel() }
    for command in blockedCommands.all.values { command.stopUnblocking() }
  }
}
