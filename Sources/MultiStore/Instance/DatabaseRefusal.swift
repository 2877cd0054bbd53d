/// The reason why a client can't select a database.
public enum DatabaseRefusal: Error, Sendable {
  /// The instance serves only the database that its configuration names.
  case pinned
  /// The limit of databases in use is reached.
  case tooMany
  /// The default store answered with this error.
  case refused(String)
  /// The default store is not available.
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
