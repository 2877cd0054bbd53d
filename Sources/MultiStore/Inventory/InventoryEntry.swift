public import RESP

/// The route of a command while dual writes are on: the label `routing`.
///
/// It does not depend on the flags, nor on whether there is a primary yet: an operator needs it before that.
public enum InventoryRouting: String, CaseIterable, Sendable {
  /// The default store executes it, and its changes are copied to the other store.
  case dualWritten = "dual_written"
  /// The primary answers, and the secondary what the primary lacks.
  case readWithFallback = "read_with_fallback"
  /// The default store executes it alone.
  case defaultStoreOnly = "default_store_only"
  /// The sidecar answers it, or keeps it for a transaction.
  case sidecar
  /// It is answered with an error.
  case refused

  init(_ spec: CommandSpec, as commandClass: CommandClass, in configuration: MultiStoreConfiguration) {
    if spec.isRefused || spec.traits.contains(.empties) && !configuration.allowFlush {
      self = .refused
      return
    }
    switch commandClass {
    case .read: self = configuration.readPolicy == .fallback ? .readWithFallback : .defaultStoreOnly
    case .write, .blocking, .script: self = spec.effect == .none ? .defaultStoreOnly : .dualWritten
    case .keyspaceRead, .pubsub: self = .defaultStoreOnly
    case .connection, .transaction: self = .sidecar
    case .unlisted:
      let isRejected = configuration.unlistedCommands == .reject && spec.countsAsMethodMissing
      self = isRejected ? .refused : .defaultStoreOnly
    }
  }
}

/// One command of an inventory. A command whose options make it a read or a write, such as SORT, has an entry for each.
public struct InventoryEntry: Sendable, Hashable {
  /// The command's lower-case name; a subcommand's is `config|get`, and `other` stands for commands that no server
  /// knows.
  public let command: String
  /// The number of times that it was seen since the start.
  public let count: UInt64
  /// Its route while dual writes are on.
  public let routing: InventoryRouting
  /// Its hazard; nil if none is known.
  public let hazard: CommandHazard?
  /// The time at which it was seen first, in milliseconds since 1970, rounded up to the next publication.
  public let firstSeenMilliseconds: Int64
  /// The time at which it was seen last, in the same way.
  public let lastSeenMilliseconds: Int64
}

extension CommandSpec {
  /// Whether it runs scripts that may change keys.
  var changesByScript: Bool { commandClass == .script && effect == .copyKeys }

  /// Whether the inventory counts a command apart from others of its name: its options give it another class, or it
  /// runs a script and names no key.
  @inline(__always)
  public func isCountedApart(_ command: Span<UInt8>, as commandClass: CommandClass) -> Bool {
    commandClass != self.commandClass || commandClass == .script && namesNoKey(command)
  }

  private func namesNoKey(_ command: Span<UInt8>) -> Bool {
    changesByScript && ArgumentCursor(command).argument(at: 2)?.decimal ?? 0 == 0
  }
}
