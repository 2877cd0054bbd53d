public import RESP

/// Databases: each has connections of its own, and shares everything else.
extension Instance {
  /// Finds database `number`, and opens it if it is not in use.
  ///
  /// - Parameter then: called on the loop when the default store has accepted the number or refused it, which may be
  ///   before this call returns.
  public func select(_ number: Int, then: @escaping (Result<Database, DatabaseRefusal>) -> Void) {
    if let refusal = refusal(toOpen: number) { return then(.failure(refusal)) }
    _ = open(number)
    databases.whenAccepted(number, by: routingState.flip.current.defaultStore, then: then)
  }

  /// The reason why the effect of `command` in another database could not be copied; nil if it could be, and for a
  /// command that names no other database.
  public func refusal(toReachDatabaseOf command: Span<UInt8>, _ spec: CommandSpec) -> DatabaseRefusal? {
    spec.otherDatabase(ofCommand: command).flatMap { refusal(toOpen: $0) }
  }

  /// The database `number`, in which the default store has just changed something; nil if it can't be opened.
  func reach(_ number: Int) -> Database? {
    guard refusal(toOpen: number) == nil else { return nil }
    defer { databases.keep(number) }
    return open(number)
  }

  /// Makes the first database, which outlives the others.
  func makeFirstDatabase() -> Database {
    let database = Database(configuration, of: self)
    databases.insertFirst(database)
    return database
  }

  private func refusal(toOpen number: Int) -> DatabaseRefusal? {
    guard databases[number] == nil else { return nil }
    guard configuration.servesOtherDatabases else { return .pinned }
    return databases.isFull ? .tooMany : nil
  }

  private func open(_ number: Int) -> Database {
    if let database = databases[number] { return database }
    let database = Database(configuration.selecting(number), of: self)
    databases.insert(database)
    database.open()
    return database
  }
}
