internal import EventLoop
internal import Hiredis

/// The part of a ``MultiStoreClient`` that is confined to its loop.
///
/// `@unchecked Sendable`: a reference may be passed to any thread, so that work can be handed to the loop. The members
/// are accessed on the loop's thread alone, or before it has one.
final class ClientCore: @unchecked Sendable {
  let multiStore: MultiStore
  private let loop: EventLoop
  /// The number of requests in flight.
  private var activeCount = 0
  /// The connections of single commands, so that they can be closed before the replies arrive.
  private var dedicated: [ObjectIdentifier: (connection: HiredisConnection, store: Store)] = [:]
  /// Whether all connections are closed.
  private var isClosed = false
  private var drainTimer: LoopTimer?
  private var whenDrained: (() -> Void)?

  init(multiStore: MultiStore, loop: EventLoop) {
    self.multiStore = multiStore
    self.loop = loop
  }

  func execute(
    _ commands: [ClientCommand],
    isTransaction: Bool,
    completion: @escaping @Sendable (ClientReplies) -> Void
  ) {
    activeCount += 1
    for command in commands { multiStore.inventory.count(command.id, byOptions: command.isClassedByOptions) }
    ClientRequest(commands, isTransaction: isTransaction, core: self, completion: completion).proceed()
  }

  func didComplete() {
    activeCount -= 1
    finishIfDrained()
  }

  /// Calls `then` when no request is in flight and the other store has its copies. After `limit` the remaining requests
  /// are answered with an error.
  func drain(within limit: Duration, then: @escaping () -> Void) {
    whenDrained = then
    let timer = LoopTimer(on: loop) { [unowned self] in closeConnections() }
    timer.schedule(after: limit)
    drainTimer = timer
    finishIfDrained()
  }

  /// Fails the requests in flight, and ends the loop.
  func shutDown() {
    drainTimer?.close()
    drainTimer = nil
    closeConnections()
    loop.stop()
  }

  /// Opens a connection for one command; nil at the limit of such connections, and after all were closed.
  ///
  /// - Parameter hasDeadline: whether the command timeout applies.
  func openDedicated(to store: Store, hasDeadline: Bool) -> HiredisConnection? {
    guard !isClosed, let connection = store.openDedicated(hasDeadline: hasDeadline) else { return nil }
    dedicated[ObjectIdentifier(connection)] = (connection, store)
    return connection
  }

  /// Closes a connection that ``openDedicated(to:hasDeadline:)`` returned.
  func closeDedicated(_ connection: HiredisConnection) {
    // It was closed already if all connections were.
    guard let opened = dedicated.removeValue(forKey: ObjectIdentifier(connection)) else { return }
    opened.store.closeDedicated(connection)
  }

  private func closeConnections() {
    isClosed = true
    multiStore.close()
    for (connection, store) in dedicated.values { store.closeDedicated(connection) }
    dedicated = [:]
  }

  private func finishIfDrained() {
    guard activeCount == 0, whenDrained != nil else { return }
    // A write may be answered right before its copy is sent.
    loop.execute { [self] in settle() }
  }

  private func settle() {
    guard let whenDrained else { return }
    self.whenDrained = nil
    multiStore.whenSettled(whenDrained)
  }
}
