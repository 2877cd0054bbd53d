/// A hazard of a command while an application moves from one store to another, worst first.
///
/// Raw values are label values and JSON fields.
public enum CommandHazard: String, CaseIterable, Sendable {
  /// No server knows the command.
  case unknownCommand = "unknown_command"
  /// The sidecar refuses it.
  case refused
  /// It changes data, and is not copied to the other store.
  case uncopied
  /// It changes a second database.
  case anotherDatabase = "another_database"
  /// It empties a whole store.
  case flush
  /// It runs scripts, and a verification has found keys different that no command had named.
  case unnamedKeys = "unnamed_keys"
  /// It runs a script, and names no key at all.
  case scriptWithoutKeys = "script_without_keys"
  /// It runs a script, which may change other keys than those that the command names.
  case script
  /// It is neither a known read nor a known write.
  case unlisted
  /// It waits for replicas to have what its connection wrote.
  case replicas
  /// It waits on a connection of its own, and its key is copied whole when it had to.
  case blocking
  /// It answers for the keyspace of one store.
  case wholeKeyspace = "whole_keyspace"
  /// Its keys are copied whole.
  case wholeKeyCopy = "whole_key_copy"
  /// It merges several keys, and a missing one does not show.
  case mergedRead = "merged_read"
  /// It watches keys on one store.
  case watch

  /// One sentence for an operator: the problem, and the remedy.
  public var sentence: String {
    switch self {
    case .unknownCommand:
      "No server knows this name, so it is a mistake of the application or a command of a module, which only the "
        + "default store gets: find out who sends it before the first flag is flipped."
    case .refused:
      "The sidecar refuses it, because it would change or occupy what many clients share: whoever needs it has to ask "
        + "the store itself."
    case .uncopied:
      "The default store alone executes it, and the other store keeps what it had: leave it until dual writes are off."
    case .anotherDatabase:
      "It changes a second database as well, in no order with what others write there, and is refused where a store's "
        + "URL names a database: leave it until dual writes are off."
    case .flush:
      "It is refused where there is a primary store, and with allow_flush it removes every key from both stores, so "
        + "that there is nothing to go back to: take it out of the application until the migration is over."
    case .unnamedKeys:
      "Since such scripts run, a verification has found keys different that no command has named, because the scripts "
        + "or another client changed them or they were never copied: let every call name all its keys, or set scripts: "
        + "run_on_both, and have the keys mended by a verification with --heal."
    case .scriptWithoutKeys:
      "It runs a script and names no key, so that whatever it changes stays on the default store: make sure that it "
        + "only reads, let every call name all its keys, or set scripts: run_on_both."
    case .script:
      "What a script changes without naming it among its keys stays on the default store, and no proxy can see that: "
        + "make sure that every call names all the keys, or set scripts: run_on_both."
    case .unlisted:
      "It is neither a known read nor a known write, so the default store alone executes it: if it changes the server, "
        + "do the same on the other store by hand."
    case .replicas:
      "It waits on a connection that has not written what the client wrote, so it may answer too early: do not rely on "
        + "it behind the sidecar."
    case .blocking:
      "Each client that waits has a connection to the store, and when something comes its key is copied whole to the "
        + "other store: raise max_dedicated_connections above the number of waiting clients, and keep queues short."
    case .wholeKeyspace:
      "It sees the keys of the default store alone, which after a flip may not have all of them yet: hold it back "
        + "until the data has moved, or ask the store that has it all."
    case .wholeKeyCopy:
      "After each call its keys are copied whole to the other store: with keys of many megabytes, such as a long "
        + "stream, that is a load to measure before dual writes are on."
    case .mergedRead:
      "With several keys its one reply cannot show that the new store lacks one of them: copy those keys before reads "
        + "go there, or take read_policy: default_store until then."
    case .watch:
      "A transaction that watches keys for more than a second while the default store moves is answered with nil: the "
        + "application has to repeat it, as after any conflict."
    }
  }
}

extension CommandSpec {
  /// Returns the hazard of the command as one of `commandClass` (see ``commandClass(of:)``); nil if none is known.
  public func hazard(as commandClass: CommandClass) -> CommandHazard? {
    if id == .other { return .unknownCommand }
    if isRefused { return .refused }
    if traits.contains(.empties) { return .flush }
    if let hazard = Self.particularHazards[name.description] { return hazard }
    switch commandClass {
    case .read: return mergesKeys ? .mergedRead : nil
    case .keyspaceRead: return .wholeKeyspace
    case .write: return hazardOfCopying
    case .blocking: return traits.contains(.writes) ? .blocking : nil
    case .script: return effect == .copyKeys ? .script : nil
    case .unlisted: return traits.contains(.notCounted) ? nil : .unlisted
    case .pubsub, .connection, .transaction: return nil
    }
  }

  /// The hazards of single commands, which their class does not show.
  private static let particularHazards: [String: CommandHazard] = [
    "move": .anotherDatabase,
    "wait": .replicas, "waitaof": .replicas,
    "watch": .watch,
  ]

  private var hazardOfCopying: CommandHazard? {
    switch effect {
    case .none: .uncopied
    case .copyFirstKey, .copyLastKey, .copyKeys: .wholeKeyCopy
    default: nil
    }
  }

  /// Whether several keys end in one reply that does not distinguish them.
  private var mergesKeys: Bool {
    guard miss != .anyNullElement else { return false }
    switch keys {
    case .all, .two, .counted: return true
    default: return false
    }
  }
}
