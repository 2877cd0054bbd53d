internal import RESP

/// One command of a call, encoded and looked up on the caller's thread, so that the loop has less to do.
struct ClientCommand: Sendable {
  /// The path on which a command reaches a store.
  enum Way: Sendable {
    /// Through ``Database/execute(_:as:routing:over:for:)``, together with its neighbours.
    case batched
    /// To the default store, over the connection for scripts and unlisted commands.
    case isolated
    /// To the default store, over a connection of its own.
    case dedicated
    /// Through ``Database/executeBlocking(_:routing:over:for:)``, over a connection of its own.
    case blocking
  }

  /// One whole command, an array of bulk strings.
  let bytes: [UInt8]
  let id: CommandID
  let way: Way
  /// Whether its options gave it another class than the table has for it, or it is a script that names no key.
  let isClassedByOptions: Bool

  /// A command outside of a transaction.
  ///
  /// - Parameter arguments: the name first.
  /// - Throws: ``MultiStoreError`` with code `invalidCommand` or `unsupportedCommand`.
  init(_ arguments: [[UInt8]]) throws(MultiStoreError) {
    let bytes = Self.encode(arguments)
    let spec = try Self.look(up: arguments)
    self.bytes = bytes
    id = spec.id
    let commandClass = spec.commandClass(ofCommand: bytes.span)
    isClassedByOptions = spec.isCountedApart(bytes.span, as: commandClass)
    switch commandClass {
    case .read, .keyspaceRead, .write:
      way = .batched
    case .connection where spec.id == .ping || spec.id == .echo:
      way = .batched
    case .connection:
      throw Self.unsupported(spec, "it is about a client's own connection, and the library's are shared")
    case .transaction:
      throw Self.unsupported(
        spec,
        "commands that belong together go into MultiStoreClient.multi; WATCH has no form here"
      )
    case .pubsub:
      throw Self.unsupported(spec, "a connection that listens can do nothing else; use a client of your own for it")
    case .blocking:
      way = .blocking
    case .script, .unlisted:
      guard !spec.isRefused else {
        throw Self.unsupported(spec, "it would change a connection that many commands share; ask the store itself")
      }
      way = spec.traits.contains(.deepReply) ? .dedicated : .isolated
    }
  }

  /// A command inside of a transaction.
  ///
  /// - Throws: ``MultiStoreError`` with code `invalidCommand` or `unsupportedCommand`.
  init(inTransaction arguments: [[UInt8]]) throws(MultiStoreError) {
    let bytes = Self.encode(arguments)
    let spec = try Self.look(up: arguments)
    self.bytes = bytes
    id = spec.id
    isClassedByOptions = spec.isCountedApart(bytes.span, as: spec.commandClass(ofCommand: bytes.span))
    way = .batched
    let isAllowed =
      switch spec.commandClass {
      case .connection: spec.id == .ping || spec.id == .echo
      case .pubsub, .transaction: false
      default: spec.id != .other && !spec.isRefused && !spec.traits.contains(.deepReply)
      }
    guard isAllowed else { throw Self.unsupported(spec, "it is not allowed in a transaction") }
  }

  private static func look(up arguments: [[UInt8]]) throws(MultiStoreError) -> CommandSpec {
    let name = arguments[0]
    let subcommand = arguments.count > 1 ? arguments[1] : []
    let spec = CommandTable.spec(CommandTable.lookup(name.span, subcommand: subcommand.span))
    guard spec.accepts(argumentCount: arguments.count) else {
      throw MultiStoreError(.invalidCommand, "wrong number of arguments for '\(spec.name)': \(arguments.count - 1)")
    }
    return spec
  }

  private static func unsupported(_ spec: CommandSpec, _ reason: String) -> MultiStoreError {
    MultiStoreError(.unsupportedCommand, "'\(spec.name)' can't be sent: \(reason)")
  }

  private static func encode(_ arguments: [[UInt8]]) -> [UInt8] {
    // A length line takes at most 23 bytes, and a line end follows the argument.
    let capacity = arguments.reduce(32) { $0 + $1.count + 25 }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(capacity)
    func appendLength(_ type: Unicode.Scalar, _ length: Int) {
      bytes.append(UInt8(ascii: type))
      bytes.append(contentsOf: String(length).utf8)
      bytes.append(contentsOf: [0x0d, 0x0a])
    }
    appendLength("*", arguments.count)
    for argument in arguments {
      appendLength("$", argument.count)
      bytes.append(contentsOf: argument)
      bytes.append(contentsOf: [0x0d, 0x0a])
    }
    return bytes
  }
}
