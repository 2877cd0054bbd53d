/// The answers in which servers differ, where the sidecar says what the default store would say: each member is one
/// such difference from Redis 7.0.15. Valkey was tried at 9.1.2; the versions are those of its release notes.
public struct ServerDialect: OptionSet, Hashable, Sendable {
  /// The set as bits.
  public let rawValue: UInt8

  /// A set from its bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// MULTI and WATCH inside a transaction abort it, like other commands that can't be part of one: Valkey 8.0.
  public static let refusesNesting = ServerDialect(rawValue: 1 << 0)
  /// The error for a command that can't be part of a transaction has its name, and CLIENT REPLY is one of those:
  /// Valkey 9.0.
  public static let namesCommandRefusedInTransaction = ServerDialect(rawValue: 1 << 1)
  /// A client that has to log in first is told so before anything that is wrong with its command: Valkey 9.0.
  public static let asksForLoginFirst = ServerDialect(rawValue: 1 << 2)
  /// An argument of an inline command may have parts with and without quotes, one after the other: Valkey 9.0.
  public static let joinsQuotedParts = ServerDialect(rawValue: 1 << 3)
  /// CLIENT LIST and CLIENT KILL take any number of the same filters: Valkey 9.0.
  public static let filtersClients = ServerDialect(rawValue: 1 << 4)
  /// In RESP3, a command without subcommands has an empty array of them, not an empty set: Valkey 9.1.
  public static let hasArrayOfNoSubcommands = ServerDialect(rawValue: 1 << 5)
  /// HELLO's error for a client that has to log in first shows the place of the version: Redis 7.2 and Valkey.
  public static let showsPlaceOfVersion = ServerDialect(rawValue: 1 << 6)
}
