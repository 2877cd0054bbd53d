internal import EventLoop
internal import Hiredis

/// The part of a ``MultiStoreClient`` that lives on its loop.
///
/// A reference may go to any thread, so that work can be handed to the loop. What guards the members is that loop: they
/// are touched on its thread alone, or before it has one.
final class ClientCore: @unchecked Sendable {
  let multiStore: MultiStore
  private let loop: EventLoop
  /// Requests without an answer.
  private var activeCount = 0
  /// Connections of commands that wait for something, so that they can be closed before their replies come.
  private var dedicated: [ObjectIdentifier: (connection: HiredisConnection, store: Store)] = [:]
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

  /// Calls `then` when no request is without an answer, and the other store has its copies. After `limit` what
  /// is left is answered with an error.
  func drain(within limit: Duration, then: @escaping () -> Void) {
    whenDrained = then
    let timer = LoopTimer(on: loop) { [unowned self] in closeConnections() }
    timer.schedule(after: limit)
    drainTimer = timer
    finishIfDrained()
  }

  /// Fails what has no reply yet, and ends the loop.
  func shutDown() {
    drainTimer?.close()
    drainTimer = nil
    closeConnections()
    loop.stop()
  }

  func openDedicated(to store: Store) -> HiredisConnection? {
    guard let connection = store.openDedicated() else { return nil }
    dedicated[ObjectIdentifier(connection)] = (connection, store)
    return connection
  }

  func closeDedicated(_ connection: HiredisConnection, to store: Store) {
    // When all connections were closed, this one was too.
    guard dedicated.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    store.closeDedicated(connection)
  }

  private func closeConnections() {
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
