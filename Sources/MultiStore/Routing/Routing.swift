public import RESP

/// Where reads look while the dual write flag is on.
public enum ReadPolicy: String, Sendable, CaseIterable {
  /// The primary; a miss or an error there is answered by the secondary. GitLab's original design.
  case fallback
  /// The default store alone. GitLab's later design.
  case defaultStore = "default_store"
}

/// Where a command goes.
public enum Route: Hashable, Sendable {
  /// One store executes it and answers.
  case single(StoreRole)
  /// The primary answers; the secondary is asked when the primary missed or failed.
  case primaryWithFallback
  /// The default store executes and answers; its effect is copied to the other store.
  case dualWrite(defaultStore: StoreRole)
}

/// The table of the four states: what the flags of an instance mean for a command of some class.
///
/// A value: it is made once for a command, a pipeline or a transaction, so that a flip never lands in the middle of
/// one.
public struct Routing: Hashable, Sendable {
  /// The store whose reply is the client's.
  public let defaultStore: StoreRole
  /// True while writes go to both stores.
  public let isDual: Bool
  /// Where reads look while `isDual`.
  public let readPolicy: ReadPolicy

  /// - Parameters:
  ///   - flags: what the instance's flags say.
  ///   - canUsePrimary: false when no primary is configured, or when both stores are the same server and database. Both
  ///     flags then count as off.
  ///   - readPolicy: where reads look while writes go to both stores.
  public init(flags: FlagState, canUsePrimary: Bool, readPolicy: ReadPolicy) {
    isDual = canUsePrimary && flags.dualWrite
    defaultStore = canUsePrimary && flags.primaryAsDefault ? .primary : .secondary
    self.readPolicy = readPolicy
  }

  /// Where one command of `commandClass` goes.
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
