internal import EventLoop
internal import Hiredis
internal import RESP

/// The blocked commands of an instance. A class, since a command may call back before a call to it returns.
/// Loop-confined.
final class BlockedCommands {
  /// The pause before a store is asked again to unblock a command that it had not received yet, while a flip waits for
  /// that or the command is cancelled.
  private static let retryInterval = Duration.milliseconds(2)
  /// The pause once the default store has moved: the former one is slow, and may stay so for long.
  private static let settledRetryInterval = Duration.milliseconds(100)

  private var all: [ObjectIdentifier: BlockedCommand] = [:]
  /// The sinks whose command waits for its keys before it blocks, and whether it was cancelled meanwhile.
  private var arriving: [ObjectIdentifier: Bool] = [:]
  private var retryTimer: LoopTimer?
  private var isClosed = false
  /// The number of blocked commands so far.
  private var count = 0

  var isEmpty: Bool { all.isEmpty }

  /// Adds a command.
  ///
  /// - Returns: its position in the order of arrival.
  func insert(_ command: BlockedCommand) -> Int {
    all[ObjectIdentifier(command)] = command
    count += 1
    return count
  }

  func replace(_ command: BlockedCommand, by successor: BlockedCommand) {
    remove(command)
    all[ObjectIdentifier(successor)] = successor
  }

  func remove(_ command: BlockedCommand) {
    all[ObjectIdentifier(command)] = nil
  }

  /// Notes that the command of `sink` waits for its keys, until ``arrivalEnded(for:)``.
  func arrivalBegan(for sink: any ReplySink) {
    arriving[ObjectIdentifier(sink)] = false
  }

  /// - Returns: whether the command was cancelled meanwhile, and has to be cancelled again as soon as it blocks.
  func arrivalEnded(for sink: any ReplySink) -> Bool {
    arriving.removeValue(forKey: ObjectIdentifier(sink)) ?? false
  }

  /// Cancels the blocked commands of `sink`.
  ///
  /// - Returns: whether there are any.
  func cancel(of sink: any ReplySink) -> Bool {
    if arriving[ObjectIdentifier(sink)] != nil {
      arriving[ObjectIdentifier(sink)] = true
      return true
    }
    let commands = all.values.filter { $0.sink === sink }
    for command in commands { command.cancel() }
    return !commands.isEmpty
  }

  /// Whether a move of the default store waits for a blocked command.
  var areUnblocking: Bool { all.values.contains { $0.isUnblocking } }

  /// Whether some are cancelled, which have to end whatever the outcome of the flip.
  private var hasCancelled: Bool { all.values.contains { $0.isCancelled } }

  /// Unblocks the commands that wait on a store that will no longer be the default one.
  func unblock(on role: StoreRole) {
    for command in all.values where command.role == role { command.unblock() }
  }

  /// Unblocks the commands that wait on a store which the default store has left, and which could not be asked.
  func storeIsBack(_ store: Store) {
    for command in all.values { command.storeIsBack(store) }
  }

  /// Applies the active routing to the effects of the commands.
  func follow(_ routing: Routing) {
    for command in all.values { command.follow(routing) }
  }

  /// Schedules another request to the stores that have not unblocked their command yet, and the close of the
  /// connections to those that can't. The connections are not closed at once, since a reply may be the occasion: before
  /// a close the socket is read once more, and the loop has one buffer for all sockets.
  func retryLater(isSettled: Bool, on loop: EventLoop) {
    // Commands in flight fail at the end of the turn in which the instance is closed.
    guard !isClosed else { return }
    if retryTimer == nil {
      retryTimer = LoopTimer(on: loop) { [unowned self] in
        for command in all.values { command.retry() }
      }
    }
    retryTimer?.schedule(after: isSettled && !hasCancelled ? Self.settledRetryInterval : Self.retryInterval)
  }

  /// Notifies all commands of the end of a flip, and sends parked ones to the default store, in the order of their
  /// arrival.
  func flipEnded(with routing: Routing) {
    for command in all.values { command.flipEnded() }
    let parked = all.values.filter { $0.isParked }
    for command in parked.sorted(by: { $0.order < $1.order }) { command.resume(routing) }
  }

  /// Closes the connections of commands whose store hangs.
  func expire() {
    for command in all.values { command.expire() }
  }

  func close() {
    isClosed = true
    retryTimer?.close()
  }
}
