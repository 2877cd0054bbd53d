internal import EventLoop
internal import Hiredis
internal import RESP

/// Why a client can't have a database.
public enum DatabaseRefusal: Error, Sendable {
  /// The instance serves the database alone that its configuration names.
  case pinned
  /// As many databases are in use as there may be.
  case tooMany
  /// The default store answered with this error.
  case refused(String)
  /// The default store can't be asked.
  case unavailable(StoreRole, reason: String)

  /// The error reply that a client gets.
  public var clientError: String {
    switch self {
    case .pinned:
      "ERR MultiStore: this instance serves one database alone, which a store's URL names; leave the database out of "
        + "both stores' URLs, or configure another instance"
    case .tooMany:
      "ERR MultiStore: \(DatabaseTable.limit) databases are in use already, and there is room for no more"
    case .refused(let error): error
    case .unavailable(let role, let reason): "ERR MultiStore: \(role.label) store: not connected: \(reason)"
    }
  }
}

/// The databases that clients have selected besides the instance's own.
struct DatabaseTable {
  /// Databases that can be in use besides the first. Each has two connections to each store, and servers have 16
  /// unless they were told otherwise.
  static let limit = 64

  /// One of them.
  struct Entry {
    let multiStore: MultiStore
    /// The stores that have accepted its number.
    var acceptedBy: Set<StoreRole> = []
    /// Something was copied there, so that it exists.
    var isKept = false
    /// Clients that have selected it, and the store that they want to hear from.
    var waiting: [(role: StoreRole, then: (Result<MultiStore, DatabaseRefusal>) -> Void)] = []
  }

  var entries: [Int: Entry] = [:]
  /// Closed, and kept until no function of theirs is running any more.
  var discarded: [MultiStore] = []
}

/// Databases: each is a `MultiStore` with connections of its own, and shares everything else with the instance's first:
/// flags and the moment when they are in force, counters, events, and the limit of dedicated connections.
extension MultiStore {
  /// The part of the instance that serves its first database, which is the one that there is from the beginning.
  public var root: MultiStore { parent ?? self }

  /// The database's number, by which the application has always known it: the old store's. The new store may keep the
  /// instance's first one under another.
  public var database: Int { secondary.database }

  /// Finds the part of the instance that serves database `number`, and makes it when there is none.
  ///
  /// - Parameter then: called on the loop when the default store has accepted the number or refused it, which may be
  ///   before this call returns.
  public func select(_ number: Int, then: @escaping (Result<MultiStore, DatabaseRefusal>) -> Void) {
    if let parent { return parent.select(number, then: then) }
    guard number != database else { return then(.success(self)) }
    guard configuration.servesOtherDatabases else { return then(.failure(.pinned)) }
    guard let selected = open(number) else { return then(.failure(.tooMany)) }
    let role = defaultStore.role
    if databases.entries[number]?.acceptedBy.contains(role) == true { return then(.success(selected)) }
    databases.entries[number]?.waiting.append((role, then))
  }

  /// Why the copy of what `command` does in another database could not be made; nil when it can, and for a command that
  /// names none.
  public func refusal(toReachDatabaseOf command: Span<UInt8>, _ spec: CommandSpec) -> DatabaseRefusal? {
    guard let number = spec.otherDatabase(ofCommand: command), number != root.database else { return nil }
    guard configuration.servesOtherDatabases else { return .pinned }
    let table = root.databases.entries
    return table[number] != nil || table.count < DatabaseTable.limit ? nil : .tooMany
  }

  /// The part of the instance that serves a database in which the default store has just changed something.
  func reach(_ number: Int) -> MultiStore? {
    if let parent { return parent.reach(number) }
    guard number != database else { return self }
    guard configuration.servesOtherDatabases, let found = open(number) else { return nil }
    databases.entries[number]?.isKept = true
    return found
  }

  private func open(_ number: Int) -> MultiStore? {
    if let entry = databases.entries[number] { return entry.multiStore }
    guard databases.entries.count < DatabaseTable.limit else { return nil }
    let opened = MultiStore(database: number, of: self)
    databases.entries[number] = DatabaseTable.Entry(multiStore: opened)
    opened.openStores()
    return opened
  }

  /// A store has accepted the number of another database.
  func accepted(_ number: Int, by role: StoreRole) {
    guard let entry = databases.entries[number] else { return }
    databases.entries[number]?.acceptedBy.insert(role)
    answer(number, role, .success(entry.multiStore))
  }

  /// A store has refused the number of another database, or can't be asked.
  func failed(_ number: Int, on role: StoreRole, _ reason: ConnectionDownReason) {
    let refusal: DatabaseRefusal =
      reason.kind == .databaseRejected ? .refused(reason.detail) : .unavailable(role, reason: reason.description)
    answer(number, role, .failure(refusal))
    guard let entry = databases.entries[number] else { return }
    // Numbers that a client has made up must not take the place of databases.
    guard entry.acceptedBy.isEmpty, entry.waiting.isEmpty, !entry.isKept else { return }
    databases.entries[number] = nil
    databases.discarded.append(entry.multiStore)
    entry.multiStore.closeStores()
  }

  private func answer(_ number: Int, _ role: StoreRole, _ result: Result<MultiStore, DatabaseRefusal>) {
    let waiting = databases.entries[number]?.waiting ?? []
    databases.entries[number]?.waiting.removeAll { $0.role == role }
    for waiter in waiting where waiter.role == role { waiter.then(result) }
  }

  /// Applies the stores' roles in every database.
  func serveAllStores() {
    serveStores()
    for entry in databases.entries.values { entry.multiStore.serveStores() }
  }

  /// Closes what clients have selected.
  func closeDatabases() {
    for entry in databases.entries.values { entry.multiStore.closeStores() }
  }

  /// Closes the connections to one database.
  func closeStores() {
    rechecks?.close()
    for store in [secondary, primary].compactMap({ $0 }) {
      store.close()
      store.leaveFamily()
    }
  }
}
