internal import EventLoop
internal import Hiredis
internal import RESP

/// The blocked commands of an instance. A class, since a command may call back before a call to it returns.
/// Loop-confined.
final class BlockedCommands {
  /// The pause before a store is asked again to unblock a command that it had not received yet.
  private static let retryInterval = Duration.milliseconds(2)

  private var all: [ObjectIdentifier: BlockedCommand] = [:]
  /// The sinks whose command waits for its keys before it blocks, and whether it was cancelled meanwhile.
  private var arriving: [ObjectIdentifier: Bool] = [:]
  private var retryTimer: LoopTimer?
  /// The number of blocked commands so far.
  private var count = 0

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

  /// Applies the active routing to the effects of the commands.
  func follow(_ routing: Routing) {
    for command in all.values { command.follow(routing) }
  }

  /// Schedules another request to the stores that had not received their command yet. Once no flip waits, only
  /// cancelled commands are left.
  func retryLater(isSettled: Bool, on loop: EventLoop) {
    guard !isSettled || hasCancelled else { return endUnblocking() }
    if retryTimer == nil {
      retryTimer = LoopTimer(on: loop) { [unowned self] in
        for command in all.values { command.retry() }
      }
    }
    retryTimer?.schedule(after: Self.retryInterval)
  }

  /// Sends parked commands to the default store after a flip, in the order of their arrival.
  func flipEnded(with routing: Routing) {
    endUnblocking()
    let parked = all.values.filter { $0.isParked }
    for command in parked.sorted(by: { $0.order < $1.order }) { command.resume(routing) }
  }

  func close() {
    retryTimer?.close()
  }

  private func endUnblocking() {
    if !hasCancelled { retryTimer?.cancel() }
    for command in all.values { command.flipEnded() }
  }
}
