/// The reason why a command is answered with an error instead of being executed, because of its kind.
public enum CommandRefusal: Sendable {
  /// It would change the mode of a connection to a store.
  case changesConnection
  /// It would turn a connection to a store into a stream of something else.
  case takesConnection
  /// It would make a store a replica, or another one a primary.
  case changesRole
  /// SWAPDB.
  case swapsDatabases
  /// SHUTDOWN.
  case endsStore
  /// DEBUG with SLEEP.
  case stallsStore
  /// It would remove every key, and the configuration does not allow that.
  case emptiesStores
  /// It is neither a known read nor a known write, and the configuration rejects those.
  case unlisted
  /// It can't be part of a transaction: the sidecar answers it itself, or its reply can't be read inside of EXEC's.
  case inTransaction

  /// The argument after the name with which a command is refused; nil if it always is.
  var argument: StaticString? {
    self == .stallsStore ? "SLEEP" : nil
  }

  /// Returns the error reply that a client gets for a command with `spec`.
  public func error(for spec: CommandSpec) -> String {
    let name = argument.map { "\(spec.name) \($0.description.lowercased())" } ?? spec.name.description
    return "ERR MultiStore: '\(name)' \(reason)"
  }

  private var reason: String {
    switch self {
    case .changesConnection:
      Self.notSent("it would hold for the connection to the store, which many clients share")
    case .takesConnection:
      Self.notSent("it would take over the connection to the store, which many clients share")
    case .changesRole:
      Self.notSent("it would change the store's role under all of its clients")
    case .swapsDatabases:
      Self.notSent("the two stores would have to do it at one moment, in the midst of all clients' commands")
    case .endsStore:
      Self.notSent("it would end the store for all of its clients")
    case .stallsStore:
      Self.notSent("all clients of the store would wait, and give it up in the end")
    case .emptiesStores:
      "would remove every key from the stores; set allow_flush: true for this instance to have it executed on both"
    case .unlisted:
      "is not listed, and unlisted_commands is `reject`"
    case .inTransaction:
      "is not allowed in a transaction"
    }
  }

  private static func notSent(_ reason: String) -> String {
    "is not sent through the sidecar: \(reason); ask the store itself"
  }
}

extension CommandSpec {
  /// Whether the command is refused with any arguments.
  public var isRefused: Bool {
    guard let refusal else { return false }
    return refusal.argument == nil
  }

  /// Returns the refusal of `command`, one of this line; nil if it is executed, or refused for another reason.
  public func refusal(of command: Span<UInt8>) -> CommandRefusal? {
    guard let refusal, let argument = refusal.argument else { return refusal }
    guard let word = ArgumentCursor(command).argument(at: 1) else { return nil }
    return word.isKeyword(argument) ? refusal : nil
  }
}
