// The forms in which the table's lines are written.
extension CommandSpec {
  /// A command that only reads, addressed by keys.
  static func read(
    _ name: StaticString,
    _ arity: Int,
    _ keys: KeyPositions,
    _ miss: MissRule,
    _ comparison: Comparison = .ordered,
    _ traits: CommandTraits = [],
    reply: ReplyRule = .always(.plain)
  ) -> CommandSpec {
    CommandSpec(name, .read, arity: arity, keys: keys, miss: miss, comparison: comparison, reply: reply, traits: traits)
  }

  /// A command that reads the whole keyspace.
  static func keyspaceRead(
    _ name: StaticString,
    _ arity: Int,
    _ comparison: Comparison = .ignored,
    _ traits: CommandTraits = [],
    reply: ReplyRule = .always(.plain)
  ) -> CommandSpec {
    CommandSpec(name, .keyspaceRead, arity: arity, comparison: comparison, reply: reply, traits: traits)
  }

  /// A command that changes part of what its keys hold; see `CommandTraits.changesPart`.
  static func partial(
    _ name: StaticString,
    _ arity: Int,
    _ keys: KeyPositions,
    _ effect: Effect = .verbatim,
    _ comparison: Comparison = .ordered,
    _ traits: CommandTraits = [],
    miss: MissRule = .never,
    reply: ReplyRule = .always(.plain)
  ) -> CommandSpec {
    write(name, arity, keys, effect, comparison, traits.union(.changesPart), miss: miss, reply: reply)
  }

  /// A command that changes data. `miss` counts only where the command, without certain options, is a read.
  static func write(
    _ name: StaticString,
    _ arity: Int,
    _ keys: KeyPositions,
    _ effect: Effect = .verbatim,
    _ comparison: Comparison = .ordered,
    _ traits: CommandTraits = [],
    miss: MissRule = .never,
    reply: ReplyRule = .always(.plain)
  ) -> CommandSpec {
    CommandSpec(
      name,
      .write,
      arity: arity,
      keys: keys,
      miss: miss,
      effect: effect,
      comparison: comparison,
      reply: reply,
      traits: traits.union(.writes)
    )
  }

  /// GEORADIUS or its sibling: a write with STORE or STOREDIST, otherwise a read.
  static func geoRadius(_ name: StaticString, _ arity: Int, optionsAt: Int) -> CommandSpec {
    write(
      name,
      arity,
      .geoRadius(optionsAt: optionsAt),
      .copyLastKey,
      .ordered,
      .readsUnlessStore,
      miss: .emptyCollection,
      reply: .always(.places)
    )
  }

  /// A command that sends a message. The servers don't flag it `write`, and its reply counts a server's listeners.
  static func publish(_ name: StaticString, _ arity: Int) -> CommandSpec {
    CommandSpec(name, .write, arity: arity, effect: .verbatim, comparison: .ignored, traits: .isReplicated)
  }

  /// A command that changes data, and waits until there is some.
  static func blocking(
    _ name: StaticString,
    _ arity: Int,
    _ keys: KeyPositions,
    _ effect: Effect,
    _ more: CommandTraits = [],
    reply: ReplyRule = .always(.plain)
  ) -> CommandSpec {
    let traits: CommandTraits = [.blocks, .writes, .changesPart, more]
    return CommandSpec(name, .blocking, arity: arity, keys: keys, effect: effect, reply: reply, traits: traits)
  }

  /// A command whose first argument is a subcommand. This line is for subcommands that no server knows.
  static func container(_ name: StaticString, _ arity: Int, _ commandClass: CommandClass = .unlisted) -> CommandSpec {
    CommandSpec(name, commandClass, arity: arity, traits: .hasSubcommands)
  }

  /// A command that starts or ends listening.
  static func pubsub(_ name: StaticString, _ arity: Int) -> CommandSpec {
    CommandSpec(name, .pubsub, arity: arity)
  }

  /// A command about the client's connection.
  static func connection(
    _ name: StaticString,
    _ arity: Int,
    _ traits: CommandTraits = [],
    reply: ReplyRule = .always(.plain),
    refused: CommandRefusal? = nil
  ) -> CommandSpec {
    CommandSpec(name, .connection, arity: arity, reply: reply, traits: traits, refused: refused)
  }

  /// A command of a transaction.
  static func transaction(_ name: StaticString, _ arity: Int, _ keys: KeyPositions = .none) -> CommandSpec {
    CommandSpec(name, .transaction, arity: arity, keys: keys)
  }

  /// A command that runs a script or a function, or keeps them.
  static func script(
    _ name: StaticString,
    _ arity: Int,
    _ keys: KeyPositions = .none,
    _ traits: CommandTraits = [],
    effect: Effect = .none,
    reply: ReplyRule = .always(.plain),
    refused: CommandRefusal? = nil
  ) -> CommandSpec {
    CommandSpec(
      name,
      .script,
      arity: arity,
      keys: keys,
      effect: effect,
      // A script often returns the members of a set.
      comparison: effect == .copyKeys ? .unordered : .ignored,
      reply: reply,
      traits: traits,
      refused: refused
    )
  }

  /// A command that is neither a known read nor a known write.
  static func unlisted(
    _ name: StaticString,
    _ arity: Int,
    _ traits: CommandTraits = [],
    reply: ReplyRule = .always(.plain),
    refused: CommandRefusal? = nil
  ) -> CommandSpec {
    CommandSpec(name, .unlisted, arity: arity, reply: reply, traits: traits, refused: refused)
  }

  /// An unlisted command that the servers flag `admin`.
  static func admin(
    _ name: StaticString,
    _ arity: Int,
    _ traits: CommandTraits = [],
    reply: ReplyRule = .always(.plain),
    refused: CommandRefusal? = nil
  ) -> CommandSpec {
    unlisted(name, arity, traits.union(.isAdministrative), reply: reply, refused: refused)
  }
}
