internal import RESP
internal import TestSupport
internal import Testing

/// Where the table's class is not what the servers' flags alone would make it, and why.
private let exceptions: [String: String] = [
  "publish": "a write without the flag: listeners may sit on either store",
  "spublish": "as publish",
  "swapdb": "flagged write; the stores may use different database numbers",
  "cluster|flushslot": "flagged write; CLUSTER is administration",
  "lolwut": "flagged readonly; reads no key",
]

@Suite("Command table: against live servers")
struct CommandTableServerTests {
  @Test(
    "A Valkey server is there to compare with",
    .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)")
  )
  func valkeyIsThere() throws {
    #expect(LiveServer.present.contains(.valkey))
  }

  @Test("Every command and subcommand is in the table, with arity, keys and class", arguments: LiveServer.present)
  func serverIsCovered(server: LiveServer) throws {
    let instance = try server.start()
    let reported = try ReportedCommand.all(of: try instance.client())
    try #require(reported.count > 300)
    for command in reported.values {
      guard let spec = CommandTable.line(named: command.name) else {
        Issue.record("\(command.name) is not in the table")
        continue
      }
      expectArity(of: spec, atLeastAsLooseAs: command)
      expectKeys(of: spec, asIn: command)
      expectFlags(of: spec, asIn: command, server)
      expectClass(of: spec, asIn: command)
      expectPart(of: spec, asIn: command)
    }
  }

  @Test(
    "Nothing is in the table that neither server knows, and each arity is one of theirs",
    .enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)")
  )
  func tableIsClosed() throws {
    let servers = try LiveServer.allCases.map { try $0.start() }
    let reported = try servers.map { try ReportedCommand.all(of: try $0.client()) }
    for spec in CommandTable.all.dropFirst() {
      let name = spec.name.description
      let arities = reported.compactMap { $0[name]?.arity }
      #expect(arities.contains(spec.arity), "\(name): \(spec.arity), servers say \(arities)")
      let hasSubcommands = reported.contains { commands in commands.keys.contains { $0.hasPrefix("\(name)|") } }
      #expect(spec.traits.contains(.hasSubcommands) == hasSubcommands, "\(name)")
    }
    for name in exceptions.keys { #expect(CommandTable.line(named: name) != nil, "\(name)") }
  }

  @Test("Replies as deep as hiredis can't read are known", arguments: LiveServer.present)
  func deepReplies(server: LiveServer) throws {
    let instance = try server.start()
    let client = try instance.client()
    // EXEC's array around the reply counts too.
    for line in ["COMMAND", "COMMAND INFO", "COMMAND DOCS"] {
      #expect(depth(of: try client.command(words(line))) + 1 > 8, "\(line)")
      #expect(Words(line).spec.traits.contains(.deepReply), "\(line)")
    }
    try client.command(words("XADD s 1-1 a b"))
    try client.command(words("XGROUP CREATE s g 0"))
    try client.command(words("XREADGROUP GROUP g c STREAMS s >"))
    for line in [
      "XINFO STREAM s FULL", "COMMAND LIST", "COMMAND GETKEYSANDFLAGS get k", "FUNCTION STATS", "MEMORY STATS",
      "LATENCY HISTOGRAM", "ACL GETUSER default", "SLOWLOG GET", "MODULE LIST",
    ] {
      #expect(depth(of: try client.command(words(line))) + 1 <= 8, "\(line)")
      #expect(!Words(line).spec.traits.contains(.deepReply), "\(line)")
    }
  }

  private func expectArity(of spec: CommandSpec, atLeastAsLooseAs command: ReportedCommand) {
    let isLooser = spec.arity < 0 && spec.arity.magnitude <= command.arity.magnitude
    #expect(spec.arity == command.arity || isLooser, "\(spec.name): \(spec.arity), server says \(command.arity)")
  }

  private func expectKeys(of spec: CommandSpec, asIn command: ReportedCommand) {
    if command.flags.contains("movablekeys") {
      // SORT_RO's patterns name keys that no position shows; the rest is held against COMMAND GETKEYS elsewhere.
      if case .range = spec.keys, spec.name.description != "sort_ro" { Issue.record("\(spec.name): movable keys") }
      return
    }
    let expected: KeyPositions =
      command.firstKey == 0 || command.positionsAreNotKeys
      ? .none : .range(first: command.firstKey, last: command.lastKey, step: command.step)
    #expect(spec.keys == expected, "\(spec.name)")
  }

  private func expectFlags(of spec: CommandSpec, asIn command: ReportedCommand, _ server: LiveServer) {
    #expect(spec.traits.contains(.writes) == command.flags.contains("write"), "\(spec.name)")
    #expect(spec.traits.contains(.isAdministrative) == command.flags.contains("admin"), "\(spec.name)")
    if exceptions[command.name] == nil {
      let isFlagged = !command.flags.isDisjoint(with: ["write", "readonly"])
      #expect(spec.reachesKeys == (isFlagged || spec.traits.contains(.isReplicated)), "\(spec.name)")
    }
    if spec.commandClass == .unlisted {
      #expect(spec.traits.contains(.refusedInTransactions) == command.flags.contains("no_multi"), "\(spec.name)")
    }
    if spec.commandClass == .script {
      #expect(spec.traits.contains(.answeredWhileBusy) == command.flags.contains("allow_busy"), "\(spec.name)")
    }
    // Redis 7.0 does not flag WAIT, which blocks there too.
    if server == .redis, command.name == "wait" { return }
    let blocks = !spec.traits.isDisjoint(with: [.blocks, .blocksWhenAsked])
    #expect(blocks == command.flags.contains("blocking"), "\(spec.name)")
  }

  private func expectClass(of spec: CommandSpec, asIn command: ReportedCommand) {
    guard exceptions[command.name] == nil else { return }
    let isScript = spec.commandClass == .script
    let classes: Set<CommandClass>
    if command.flags.contains("write") {
      classes = isScript ? [.script] : spec.traits.contains(.blocks) ? [.blocking] : [.write]
    } else if command.flags.contains("readonly") {
      let isKeyed = command.firstKey != 0 || command.flags.contains("movablekeys")
      classes = isScript ? [.script] : isKeyed && !command.positionsAreNotKeys ? [.read] : [.keyspaceRead]
    } else if command.flags.contains("pubsub") {
      classes = command.name.hasPrefix("pubsub|") ? [.unlisted] : [.pubsub]
    } else {
      classes = [.connection, .transaction, .script, .unlisted]
    }
    #expect(classes.contains(spec.commandClass), "\(spec.name): \(spec.commandClass), flags \(command.flags)")
  }

  /// A write that changes a key in place would leave a fragment, or nothing, on a store that lacks the key: it gets the
  /// whole key instead, unless the command leaves nothing of what was there.
  private func expectPart(of spec: CommandSpec, asIn command: ReportedCommand) {
    guard command.flags.contains("write"), spec.commandClass != .script, spec.commandClass != .unlisted else { return }
    let changesInPlace = command.keyFlags.contains {
      $0.contains("RW") && !$0.isDisjoint(with: ["update", "insert", "delete"])
    }
    let isWhole = [.copyFirstKey, .copyLastKey, .copyKeys, .none].contains(spec.effect)
    if changesInPlace {
      let traits: CommandTraits = [.changesPart, .replacesKeys]
      #expect(isWhole || !spec.traits.isDisjoint(with: traits), "\(spec.name): \(command.keyFlags)")
    }
    if spec.traits.contains(.changesPart) {
      #expect(command.keyFlags.contains { $0.contains("RW") }, "\(spec.name): \(command.keyFlags)")
    }
  }

  /// How many arrays deep a reply is nested.
  private func depth(of reply: RESPReply) -> Int {
    reply.elements.map { 1 + ($0.map(depth).max() ?? 0) } ?? 0
  }
}

/// The words of a line, for a client; `''` is the empty one.
func words(_ line: String) -> [String] {
  line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
}
