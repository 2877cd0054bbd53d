/// One line of the command table: the fixed facts about a command.
///
/// It holds no reference, so that copying one out of the table costs no reference count.
public struct CommandSpec: Sendable {
  /// The command's name in lower case; a subcommand's is `object|freq`.
  public let name: StaticString
  /// The identity of this line in the table.
  public internal(set) var id: CommandID
  /// The line whose name is the metric label: the container's for a subcommand, otherwise its own.
  public internal(set) var labelID: CommandID
  /// The class of the command unless its arguments make it another; see `commandClass(of:)`.
  public let commandClass: CommandClass
  /// Redis' arity: the number of arguments, name (and subcommand) included; at least that many if negative. Where the
  /// servers differ, the looser one. 0 for `CommandID.other`: unknown.
  public let arity: Int
  /// The positions of its keys.
  public let keys: KeyPositions
  /// The form of a reply that says that the key is absent.
  public let miss: MissRule
  /// The effect that is copied to the other store.
  public let effect: Effect
  /// The comparison of two stores' replies to it.
  public let comparison: Comparison
  /// The shape of its RESP3 reply; see ``replyShape(of:in:)``.
  public let reply: ReplyRule
  /// Its other traits.
  public let traits: CommandTraits
  /// Whether its arguments may give it another class than ``commandClass``.
  public let isClassedByOptions: Bool
  /// The reason why it is sent to no store; nil for commands that are. See ``isRefused`` and ``refusal(of:)``.
  let refusal: CommandRefusal?

  init(
    _ name: StaticString,
    _ commandClass: CommandClass,
    arity: Int,
    keys: KeyPositions = .none,
    miss: MissRule = .never,
    effect: Effect = .none,
    comparison: Comparison = .ignored,
    reply: ReplyRule = .always(.plain),
    traits: CommandTraits = [],
    refused refusal: CommandRefusal? = nil
  ) {
    self.name = name
    self.id = .other
    self.labelID = .other
    self.commandClass = commandClass
    self.arity = arity
    self.keys = keys
    self.miss = miss
    self.effect = effect
    self.comparison = comparison
    self.reply = reply
    self.traits = traits
    isClassedByOptions = !traits.isDisjoint(with: Self.decidedByOptions)
    self.refusal = refusal
  }

  /// The metric label: the lower-case command name, for a subcommand its container's.
  public var label: String { CommandTable.spec(labelID).name.description }

  /// Whether `argumentCount` arguments, the name included, are as many as the servers require.
  public func accepts(argumentCount: Int) -> Bool {
    arity >= 0 ? arity == 0 || argumentCount == arity : argumentCount >= -arity
  }
}

/// Traits of a command, besides its class. They are tested for every command, so that their bits are part of the code:
/// constants of another module would be read from memory by a call.
public struct CommandTraits: OptionSet, Sendable {
  /// The set as bits.
  public let rawValue: UInt32

  /// Creates a set from its bits.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Its first argument is a subcommand, with a line of its own in the table.
  @inlinable public static var hasSubcommands: CommandTraits { CommandTraits(rawValue: 1 << 0) }
  /// The servers flag it `write`.
  @inlinable public static var writes: CommandTraits { CommandTraits(rawValue: 1 << 1) }
  /// It waits, and its connection executes no other command meanwhile.
  @inlinable public static var blocks: CommandTraits { CommandTraits(rawValue: 1 << 2) }
  /// Like `blocks`, when BLOCK is among its options.
  @inlinable public static var blocksWhenAsked: CommandTraits { CommandTraits(rawValue: 1 << 3) }
  /// It takes elements, without waiting, and answers nil or an empty array where there are none.
  @inlinable public static var pops: CommandTraits { CommandTraits(rawValue: 1 << 4) }
  /// Its reply may be nested more than the eight arrays deep that hiredis 0.14 can read, alone or inside of EXEC's.
  @inlinable public static var deepReply: CommandTraits { CommandTraits(rawValue: 1 << 5) }
  /// It is not counted as unlisted: INFO, as in GitLab.
  @inlinable public static var notCounted: CommandTraits { CommandTraits(rawValue: 1 << 6) }
  /// The servers flag it `write`, but without STORE (STOREDIST) it only reads.
  @inlinable public static var readsUnlessStore: CommandTraits { CommandTraits(rawValue: 1 << 7) }
  /// The servers flag it `write`, but with a key alone it only reads: GETEX.
  @inlinable public static var readsWithoutOptions: CommandTraits { CommandTraits(rawValue: 1 << 8) }
  /// The servers flag it `write`, but with GET alone it only reads: BITFIELD.
  @inlinable public static var readsUnlessBitsChange: CommandTraits { CommandTraits(rawValue: 1 << 9) }
  /// When it succeeds, each of its keys is as a whole what the command made it, or is gone.
  @inlinable public static var replacesKeys: CommandTraits { CommandTraits(rawValue: 1 << 10) }
  /// It changes part of what its keys hold. A store that lacks one of them would end up with a fragment, so it gets the
  /// command only where it has them all, and the whole keys otherwise.
  @inlinable public static var changesPart: CommandTraits { CommandTraits(rawValue: 1 << 11) }
  /// It may change its last key in another database, which its arguments name: MOVE, and COPY with DB.
  @inlinable public static var namesDatabase: CommandTraits { CommandTraits(rawValue: 1 << 12) }
  /// It removes every key of a database, or of all: FLUSHDB, FLUSHALL.
  @inlinable public static var empties: CommandTraits { CommandTraits(rawValue: 1 << 13) }
  /// It takes something from its first key and adds it to its last one.
  @inlinable public static var moves: CommandTraits { CommandTraits(rawValue: 1 << 14) }
  /// It answers a page and the cursor of the next one, which only the same store understands.
  @inlinable public static var iterates: CommandTraits { CommandTraits(rawValue: 1 << 15) }
  /// It makes one answer of several keys, so that the answer does not show which of them are absent.
  @inlinable public static var mergesKeys: CommandTraits { CommandTraits(rawValue: 1 << 16) }

  /// The servers execute it even while they execute a script that takes too long.
  @inlinable public static var answeredWhileBusy: CommandTraits { CommandTraits(rawValue: 1 << 17) }
  /// The servers don't queue it between MULTI and EXEC.
  @inlinable public static var refusedInTransactions: CommandTraits { CommandTraits(rawValue: 1 << 18) }
  /// The servers send it to their replicas though they don't flag it `write`: messages, scripts, and PFCOUNT, which
  /// may store what it has counted.
  @inlinable public static var isReplicated: CommandTraits { CommandTraits(rawValue: 1 << 19) }

  /// The servers flag it `admin`, so they don't show it to clients that monitor.
  @inlinable public static var isAdministrative: CommandTraits { CommandTraits(rawValue: 1 << 20) }

  /// Whether it waits, always or by an option.
  @inlinable
  public var mayBlock: Bool { !isDisjoint(with: [.blocks, .blocksWhenAsked]) }
}
