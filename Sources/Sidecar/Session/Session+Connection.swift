internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// What the sidecar answers itself: commands about the client's own connection, and refusals.
extension Session {
  /// A command that is not simply sent to a store. Nothing is in flight, so the answer can be written at once.
  func takeUncommon(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int, _ routing: Routing) {
    finishTurn()
    let isOpenToAll = spec.id == .auth || spec.id == .hello || spec.id == .quit || spec.id == .reset
    guard isAuthenticated || isOpenToAll else { return output.appendError("NOAUTH Authentication required.") }
    if spec.id == .quit {
      output.appendStatus("OK")
      return closeAfterReplies()
    }
    if spec.id == .reset { return reset() }
    if transaction != nil, spec.commandClass != .transaction {
      return queue(bytes, spec, argumentCount: argumentCount)
    }
    guard spec.accepts(argumentCount: argumentCount) else {
      return output.appendError("ERR wrong number of arguments for '\(spec.name)' command")
    }
    switch spec.commandClass {
    case .transaction: takeTransactionCommand(bytes, spec, routing)
    case .pubsub:
      output.appendError("ERR MultiStore: '\(spec.name)' is not available through the sidecar yet")
    default: takeConnectionCommand(bytes, spec, argumentCount)
    }
  }

  private func takeConnectionCommand(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ argumentCount: Int) {
    let arguments = ArgumentList(bytes)
    switch spec.id {
    case .ping:
      guard argumentCount <= 2 else { return output.appendError("ERR wrong number of arguments for 'ping' command") }
      if argumentCount == 2 { output.appendBulk(arguments.argument(at: 1)) } else { output.appendStatus("PONG") }
    case .echo: output.appendBulk(arguments.argument(at: 1))
    case .auth: authenticate(arguments)
    case .hello: hello(arguments)
    case .select: select(arguments.argument(at: 1))
    case .clientSetName: setName(arguments.argument(at: 2))
    case .clientGetName: if name.isEmpty { output.appendNull() } else { output.appendBulk(name) }
    case .clientID: output.appendInteger(id)
    case .clientSetInfo: output.appendStatus("OK")
    case .clientInfo: output.appendBulk(description + "\n")
    default:
      output.appendError("ERR MultiStore: '\(spec.name)' is not available through the sidecar")
    }
  }

  /// One line, as CLIENT INFO has it: what the sidecar knows of the client.
  private var description: String {
    let idle = (server.loop.now - lastActive) / 1_000_000_000
    return "id=\(id) addr=\(stream.peer) name=\(name) idle=\(idle) db=\(server.database) "
      + "multi=\(transaction?.batch.count ?? -1) qbuf=\(input.count) obl=\(output.count + stream.pendingWriteBytes) "
      + "user=\(server.credentials?.username ?? "default") resp=2"
  }

  private func reset() {
    if let transaction { multiStore.recycle(transaction.batch) }
    transaction = nil
    releaseDedicated()
    name = ""
    isAuthenticated = server.credentials == nil
    output.appendStatus("RESET")
  }

  private func authenticate(_ arguments: borrowing ArgumentList) {
    guard arguments.argumentCount <= 3 else { return output.appendError("ERR syntax error") }
    guard let credentials = server.credentials else {
      return output.appendError(
        "ERR AUTH <password> called without any password configured for the default user. "
          + "Are you sure your configuration is correct?"
      )
    }
    let isNamed = arguments.argumentCount == 3
    let password = arguments.argument(at: isNamed ? 2 : 1)
    let username = isNamed ? arguments.argument(at: 1).array : Array("default".utf8)
    check(username: username, password: password, credentials) { $0.appendStatus("OK") }
  }

  private func check(
    username: [UInt8],
    password: Span<UInt8>,
    _ credentials: Credentials,
    then accept: (inout ByteBuffer) -> Void
  ) {
    guard credentials.accept(username: username, password: password) else {
      return output.appendError("WRONGPASS invalid username-password pair or user is disabled.")
    }
    isAuthenticated = true
    accept(&output)
  }

  /// HELLO [version [AUTH username password] [SETNAME name]]
  private func hello(_ arguments: borrowing ArgumentList) {
    var index = 1
    if arguments.argumentCount > 1 {
      guard let version = arguments.argument(at: 1).decimal else {
        return output.appendError("ERR Protocol version is not an integer or out of range")
      }
      // Debian's hiredis reads RESP2 only, so that is all the sidecar can offer.
      guard version == 2 else { return output.appendError("NOPROTO unsupported protocol version") }
      index = 2
    }
    while index < arguments.argumentCount {
      let option = arguments.argument(at: index)
      if option.isKeyword("AUTH"), index + 2 < arguments.argumentCount {
        guard let credentials = server.credentials,
          credentials.accept(
            username: arguments.argument(at: index + 1).array,
            password: arguments.argument(at: index + 2)
          )
        else { return output.appendError("WRONGPASS invalid username-password pair or user is disabled.") }
        isAuthenticated = true
        index += 3
      } else if option.isKeyword("SETNAME"), index + 1 < arguments.argumentCount {
        guard let name = Self.validName(arguments.argument(at: index + 1)) else {
          return output.appendError(Self.invalidName)
        }
        self.name = name
        index += 2
      } else {
        return output.appendError("ERR Syntax error in HELLO option")
      }
    }
    guard isAuthenticated else {
      return output.appendError(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "
          + "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
      )
    }
    writeHello()
  }

  private func writeHello() {
    output.appendArrayHeader(14)
    output.appendBulk("server")
    output.appendBulk("redis")
    output.appendBulk("version")
    output.appendBulk(server.storeVersion)
    output.appendBulk("proto")
    output.appendInteger(2)
    output.appendBulk("id")
    output.appendInteger(id)
    output.appendBulk("mode")
    output.appendBulk("standalone")
    output.appendBulk("role")
    output.appendBulk("master")
    output.appendBulk("modules")
    output.appendArrayHeader(0)
  }

  private func select(_ argument: Span<UInt8>) {
    guard let database = argument.decimal else {
      return output.appendError("ERR value is not an integer or out of range")
    }
    guard database == server.database else {
      return output.appendError(
        "ERR MultiStore: this instance serves database \(server.database) alone; "
          + "configure another instance for database \(database)"
      )
    }
    output.appendStatus("OK")
  }

  private func setName(_ argument: Span<UInt8>) {
    guard let name = Self.validName(argument) else { return output.appendError(Self.invalidName) }
    self.name = name
    output.appendStatus("OK")
  }

  private static let invalidName = "ERR Client names cannot contain spaces, newlines or special characters."

  /// A client's name is one printable word, as servers have it.
  private static func validName(_ bytes: Span<UInt8>) -> String? {
    for index in bytes.indices where bytes[index] < 0x21 || bytes[index] > 0x7e { return nil }
    return String(decoding: bytes.array, as: UTF8.self)
  }
}
