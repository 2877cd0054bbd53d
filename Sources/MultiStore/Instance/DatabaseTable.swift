internal import Hiredis

/// The databases of an instance by their numbers: the first one, and those that clients have selected. Loop-confined.
final class DatabaseTable {
  /// The limit of databases in use besides the first. Each has two connections to each store, and servers have 16
  /// databases by default.
  static let limit = 64

  private struct Entry {
    let database: Database
    /// The stores that have accepted its number.
    var acceptedBy: Set<StoreRole> = []
    /// Whether it exists, since it is the first one or something was copied there.
    var isKept = false
    /// Whether a client was told that it has selected it.
    var isSelected = false
    /// Clients that select it, and the store whose answer they wait for.
    var waiting: [(role: StoreRole, then: (Result<Database, DatabaseRefusal>) -> Void)] = []
  }

  private var entries: [Int: Entry] = [:]
  /// Closed databases, retained until none of their functions is running.
  private var discarded: [Database] = []

  /// Whether no more databases can be selected.
  var isFull: Bool { entries.count > Self.limit }

  /// The databases in use, the one with the lowest number first.
  var all: [Database] { entries.sorted { $0.key < $1.key }.map(\.value.database) }

  subscript(number: Int) -> Database? { entries[number]?.database }

  /// Adds the first database, which no store has to accept.
  func insertFirst(_ database: Database) {
    entries[database.number] = Entry(database: database, acceptedBy: Set(StoreRole.allCases), isKept: true)
  }

  /// Adds a database that a client has selected, or that something is copied to.
  func insert(_ database: Database) {
    entries[database.number] = Entry(database: database)
  }

  /// Notes that a database exists, since something is copied to it.
  func keep(_ number: Int) {
    entries[number]?.isKept = true
  }

  /// Calls `then` when `role`'s store has accepted the number or refused it, which may be before this call returns.
  func whenAccepted(
    _ number: Int,
    by role: StoreRole,
    then: @escaping (Result<Database, DatabaseRefusal>) -> Void
  ) {
    guard let entry = entries[number] else { return }
    guard entry.acceptedBy.contains(role) else {
      entries[number]?.waiting.append((role, then))
      return
    }
    entries[number]?.isSelected = true
    then(.success(entry.database))
  }

  /// Handles a store's acceptance of the number of another database than the first.
  func accepted(_ number: Int, by role: StoreRole) {
    guard let entry = entries[number] else { return }
    entries[number]?.acceptedBy.insert(role)
    if entry.waiting.contains(where: { $0.role == role }) { entries[number]?.isSelected = true }
    answer(number, role, .success(entry.database))
  }

  /// Handles a store's refusal of the number of another database than the first, or its failure.
  ///
  /// - Parameter isDefault: whether it is the default store, which decides whether there is such a database.
  func failed(_ number: Int, on role: StoreRole, _ reason: ConnectionDownReason, isDefault: Bool) {
    let refusal: DatabaseRefusal =
      switch reason.kind {
      case .databaseRejected, .busy: .refused(reason.detail)
      default: .unavailable(role, reason: reason.description)
      }
    answer(number, role, .failure(refusal))
    guard let entry = entries[number] else { return }
    // Invalid numbers that a client has sent must not use up the limit, even if the other store has such a database.
    let isInvalid = isDefault && reason.kind == .databaseRejected && !entry.isSelected
    guard entry.acceptedBy.isEmpty || isInvalid, entry.waiting.isEmpty, !entry.isKept else { return }
    entries[number] = nil
    discarded.append(entry.database)
    entry.database.close()
    entry.database.leaveFamilies()
  }

  private func answer(_ number: Int, _ role: StoreRole, _ result: Result<Database, DatabaseRefusal>) {
    let waiting = entries[number]?.waiting ?? []
    entries[number]?.waiting.removeAll { $0.role == role }
    for waiter in waiting where waiter.role == role { waiter.then(result) }
  }

  /// Applies the stores' roles in every database.
  func serveStores() {
    for entry in entries.values { entry.database.serveStores() }
  }

  /// Releases databases that were discarded. None of their functions is running.
  func releaseDiscarded() {
    discarded = []
  }

  /// Closes the connections to every database.
  func close() {
    for entry in entries.values { entry.database.close() }
  }

  /// Releases every database, and with them the references to their instance.
  func removeAll() {
    for entry in entries.values { entry.database.pools.close() }
    entries = [:]
    discarded = []
  }
}
