public import RESP

/// The stores that reads use while the dual write flag is on.
public enum ReadPolicy: String, Sendable, CaseIterable {
  /// The primary; a miss or an error there is answered by the secondary. GitLab's original design.
  case fallback
  /// The default store alone. GitLab's later design.
  case defaultStore = "default_store"
}

/// The stores that execute a command.
public enum Route: Hashable, Sendable {
  /// One store executes it and answers.
  case single(StoreRole)
  /// The primary answers; the secondary is asked when the primary missed or failed.
  case primaryWithFallback
  /// The default store executes and answers; its effect is copied to the other store.
  case dualWrite(defaultStore: StoreRole)
}

/// The table of the four states: the route of each command class under the flags of an instance.
///
/// A value: it is made once for a command, a pipeline or a transaction, so that a flip never takes effect in the middle
/// of one.
public struct Routing: Hashable, Sendable {
  /// The store whose reply the client gets.
  public let defaultStore: StoreRole
  /// Whether writes go to both stores.
  public let isDual: Bool
  /// The stores that reads use while `isDual`.
  public let readPolicy: ReadPolicy

  /// - Parameters:
  ///   - flags: the instance's flags.
  ///   - canUsePrimary: false when no primary is configured, or when both stores are the same server and database. Both
  ///     flags then count as off.
  ///   - readPolicy: the stores that reads use while writes go to both.
  public init(flags: FlagState, canUsePrimary: Bool, readPolicy: ReadPolicy) {
    isDual = canUsePrimary && flags.dualWrite
    defaultStore = canUsePrimary && flags.primaryAsDefault ? .primary : .secondary
    self.readPolicy = readPolicy
  }

  /// Whether a command that depends on a key that the default store lacks has it moved there first: the new store is
  /// the default, and the old one has keys that it lacks.
  @inline(__always)
  var movesMissingKeys: Bool { isDual && defaultStore == .primary && readPolicy == .fallback }

  /// The route of a command of `commandClass`.
  public func route(for commandClass: CommandClass) -> Route {
    guard isDual else { return .single(defaultStore) }
    switch commandClass {
    case .read:
      return readPolicy == .fallback ? .primaryWithFallback : .single(defaultStore)
    case .write:
      return .dualWrite(defaultStore: defaultStore)
    case .keyspaceRead, .blocking, .pubsub, .connection, .transaction, .script, .unlisted:
      return .single(defaultStore)
    }
  }
}
