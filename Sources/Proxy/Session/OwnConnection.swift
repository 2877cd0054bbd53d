internal import Hiredis
internal import MultiStore

/// A session's own connection to one store, for what can't share one: blocking commands, and WATCH with what follows
/// it. It is opened on first use. Closing it ends what is watched there.
///
/// A class, since the end of a watch may let a flip proceed, which moves connections. Confined to the instance's loop.
final class OwnConnection {
  /// The error for a client that can't have one.
  static let limitIsReached =
    "ERR MultiStore: max_dedicated_connections are open already, for other clients' blocking commands, WATCHes and "
    + "subscriptions"

  private struct Opened {
    let role: StoreRole
    let store: Store
    let connection: HiredisConnection
  }

  private let instance: Instance
  private var opened: Opened?
  /// The keys that are watched there.
  private(set) var watch = WatchState()

  init(of instance: Instance) {
    self.instance = instance
  }

  /// Nil if it is not open.
  var connection: HiredisConnection? { opened?.connection }

  /// The store that it reaches.
  var role: StoreRole? { opened?.role }

  /// Returns the connection to `role`'s store of `database`, opened if it is not; nil when the limit is reached.
  ///
  /// A connection to a store that is no longer the default is closed: its watches are void.
  func connection(to role: StoreRole, of database: Database) -> HiredisConnection? {
    if let opened {
      // A lost connection would refuse commands while it waits for its next attempt.
      let wasLost = opened.connection.epoch > 0 && !opened.connection.isReady
      if opened.role == role, !wasLost { return opened.connection }
      close()
    }
    let store = database.store(role)
    guard let connection = store.takeDedicated() else { return nil }
    opened = Opened(role: role, store: store, connection: connection)
    return connection
  }

  /// Ends it if a command that does not wait for others has had no reply within the store's command timeout.
  func expire() {
    guard let opened, let timeout = opened.store.ordinary.limits.commandTimeout else { return }
    opened.connection.expire(after: timeout)
  }

  /// Closes it. The server cancels a command that blocks there, and the watches there are lost: the command moves with
  /// the default store, or the client is gone.
  func close() {
    guard let opened else { return }
    self.opened = nil
    opened.store.closeDedicated(opened.connection)
    if let open = watch.open { loseWatch(instance.isOpen(open) ? .connectionLost : .defaultMoved) }
  }
}

// MARK: WATCH

extension OwnConnection {
  /// The connection while it watches keys, which executes the client's reads then; nil if it watches none.
  @inline(__always)
  var watching: HiredisConnection? { watch.isOpen ? connection : nil }

  /// Records that a WATCH is sent over `connection`, which is this one.
  func sendsWatch(over connection: HiredisConnection) {
    // Sent before the connection is ready, it is executed in the next epoch.
    watch.begin(epoch: connection.epoch + (connection.isReady ? 0 : 1)) { instance.beginWatch() }
  }

  /// Records that the last WATCH was not executed.
  func watchWasRefused() { endWatch(watch.refused()) }

  /// Records that the watched keys may have changed unnoticed. Does nothing if none are watched.
  ///
  /// - Returns: whether some were.
  @discardableResult
  func loseWatch(_ reason: WatchLoss) -> Bool { endWatch(watch.lose(reason)) }

  /// Notices that the connection was lost, or that the default store has moved, before commands are taken.
  func checkWatch() {
    guard let open = watch.open, let connection else { return }
    endWatch(
      watch.check(epoch: connection.epoch, isReady: connection.isReady, isOnDefaultStore: instance.isOpen(open))
    )
  }

  /// Notices that the connection has failed, from the failure of a command that was sent over `path`: the last WATCH,
  /// or another one.
  func checkWatch(after failure: ConnectionFailure, over path: HiredisConnection?, isLastWatch: Bool) {
    if case .queueFull = failure { return }
    guard watch.isOpen, let connection, path === connection else { return }
    endWatch(watch.connectionFailed(epoch: connection.epoch, isLastWatch: isLastWatch))
  }

  /// Ends the watch for EXEC, which is executed over the connection. Flips wait for the watch until it was sent.
  func watchEndsWithExec() { _ = watch.end() }

  /// Forgets the watched keys. The server does so when the connection closes, in any state.
  func endWatch() {
    let ended = watch.end()
    guard ended != .idle else { return }
    close()
    if case .watching(let watch, _, _) = ended { instance.endWatch(watch) }
  }

  @discardableResult
  private func endWatch(_ watch: KeyWatch?) -> Bool {
    if let watch { instance.endWatch(watch) }
    return watch != nil
  }
}
