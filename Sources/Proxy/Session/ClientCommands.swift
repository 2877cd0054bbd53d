internal import MultiStore
internal import RESP

/// CLIENT: the sidecar's own view of its clients. Words and formats are those of Redis 7.0, and of 7.2 for its
/// additions.
struct ClientCommands {
  /// The client that sends them. Nothing of it is in flight.
  let session: Session

  /// Executes a subcommand with a valid number of arguments.
  func take(_ bytes: Span<UInt8>, _ arguments: borrowing ArgumentList, _ spec: CommandSpec) {
    do throws(ClientCommandError) {
      switch spec.id {
      case .clientID: session.output.appendInteger(session.id)
      case .clientGetName:
        if session.client.name.isEmpty {
          session.output.appendNull()
        } else {
          session.output.appendBulk(session.client.name)
        }
      case .clientSetName: appendOK(unless: session.client.setName(arguments.argument(at: 2)))
      case .clientSetInfo:
        appendOK(unless: session.client.setInfo(arguments.argument(at: 2), arguments.argument(at: 3)))
      case .clientInfo: session.output.appendBulk(session.clientLine + "\n")
      case .clientList: try list(arguments)
      case .clientKill: try kill(arguments)
      case .clientReply: try reply(arguments.argument(at: 2))
      case .clientNoEvict: session.client.isSparedFromEviction = try onOrOff(arguments.argument(at: 2))
      case .clientNoTouch: session.client.asksForNoTouch = try onOrOff(arguments.argument(at: 2))
      case .clientPause: try pause(arguments)
      case .clientUnpause:
        session.server.endPause()
        session.output.appendStatus("OK")
      // A client's capabilities change nothing.
      case .clientCapa: session.output.appendStatus("OK")
      case .clientGetRedir: session.output.appendInteger(-1)
      case .clientTrackingInfo: writeTrackingInfo()
      case .clientTracking: try tracking(arguments)
      case .clientCaching: throw .cachingWithoutTracking
      case .clientHelp: writeHelp()
      case .clientUnblock: try unblock(arguments)
      default: session.output.appendError(ServerWords.unknownCommand(bytes, spec))
      }
    } catch {
      session.output.appendError(error.text)
    }
  }

  private func appendOK(unless error: String?) {
    if let error { session.output.appendError(error) } else { session.output.appendStatus("OK") }
  }

  private func onOrOff(_ argument: Span<UInt8>) throws(ClientCommandError) -> Bool {
    guard argument.isKeyword("ON") || argument.isKeyword("OFF") else { throw .syntax }
    session.output.appendStatus("OK")
    return argument.isKeyword("ON")
  }

  private func reply(_ mode: Span<UInt8>) throws(ClientCommandError) {
    if mode.isKeyword("ON") {
      session.setReplyMode(.on)
      session.output.appendStatus("OK")
    } else if mode.isKeyword("OFF") {
      session.setReplyMode(.off)
    } else if mode.isKeyword("SKIP") {
      session.setReplyMode(.skipNext)
    } else {
      throw .syntax
    }
  }

  /// Executes CLIENT PAUSE timeout [WRITE|ALL].
  private func pause(_ arguments: borrowing ArgumentList) throws(ClientCommandError) {
    guard arguments.argumentCount <= 4 else { throw .wrongNumberOfArguments(arguments) }
    var mode = ClientPause.Mode.all
    if arguments.argumentCount == 4 {
      let word = arguments.argument(at: 3)
      guard word.isKeyword("WRITE") || word.isKeyword("ALL") else { throw .pauseMode }
      if word.isKeyword("WRITE") { mode = .writes }
    }
    guard let timeout = arguments.argument(at: 2).canonicalDecimal else { throw .timeoutIsNoInteger }
    guard timeout >= 0 else { throw .timeoutIsNegative }
    // Redis 7.0 answers OK and does not pause.
    guard timeout <= Int.max - Int(session.server.loop.now / 1_000_000) else { throw .timeoutIsOutOfRange }
    session.server.beginPause(mode, milliseconds: timeout, by: session.stream.peer)
    session.output.appendStatus("OK")
  }

  private func list(_ arguments: borrowing ArgumentList) throws(ClientCommandError) {
    let filter =
      session.dialect.contains(.filtersClients)
      ? try ClientFilter(options: arguments, sparesCaller: false, isUser: isUser) : try ClientFilter(listing: arguments)
    let clients = session.server.clients(matching: filter).filter { !filter.sparesCaller || $0 !== session }
    session.output.appendBulk(clients.map { $0.clientLine + "\n" }.joined())
  }

  private func isUser(_ name: String) -> Bool { session.server.credentials?.has(name: name) ?? (name == "default") }

  /// Executes CLIENT KILL addr, which is answered with OK, or CLIENT KILL with options, which is answered with a count.
  private func kill(_ arguments: borrowing ArgumentList) throws(ClientCommandError) {
    let filter =
      if arguments.argumentCount == 3 {
        ClientFilter(address: arguments.argument(at: 2))
      } else if session.dialect.contains(.filtersClients) {
        try ClientFilter(options: arguments, sparesCaller: true, isUser: isUser)
      } else {
        try ClientFilter(killing: arguments, isUser: isUser)
      }
    let victims = session.server.clients(matching: filter).filter { !filter.sparesCaller || $0 !== session }
    for victim in victims where victim !== session { victim.cutOff(.killed) }
    if arguments.argumentCount > 3 {
      session.output.appendInteger(victims.count)
    } else if victims.isEmpty {
      throw .noSuchClient
    } else {
      session.output.appendStatus("OK")
    }
    if victims.contains(where: { $0 === session }) {
      session.server.metrics.closed(.killed)
      session.closeAfterReplies()
    }
  }

  /// Executes CLIENT TRACKING. OFF has nothing to switch off, and ON is refused: invalidations would belong to the
  /// store's connection, which many clients share.
  private func tracking(_ arguments: borrowing ArgumentList) throws(ClientCommandError) {
    var index = 3
    while index < arguments.argumentCount {
      let option = arguments.argument(at: index)
      if option.isKeyword("BCAST") || option.isKeyword("OPTIN") || option.isKeyword("OPTOUT")
        || option.isKeyword("NOLOOP")
      {
        index += 1
      } else if option.isKeyword("REDIRECT") || option.isKeyword("PREFIX"), index + 1 < arguments.argumentCount {
        index += 2
      } else {
        throw .syntax
      }
    }
    if arguments.argument(at: 2).isKeyword("OFF") { return session.output.appendStatus("OK") }
    throw arguments.argument(at: 2).isKeyword("ON") ? .noTracking : .syntax
  }

  /// Executes CLIENT UNBLOCK id [TIMEOUT|ERROR], where `id` is the sidecar's number of a client. That client's store is
  /// asked to end the wait, by the store's number of the connection that the client waits on, and gives the answer.
  private func unblock(_ arguments: borrowing ArgumentList) throws(ClientCommandError) {
    guard arguments.argumentCount <= 4 else { throw .wrongNumberOfArguments(arguments) }
    if arguments.argumentCount == 4 {
      let reason = arguments.argument(at: 3)
      guard reason.isKeyword("TIMEOUT") || reason.isKeyword("ERROR") else { throw .unblockReason }
    }
    guard let id = arguments.argument(at: 2).canonicalDecimal else { throw .notAnInteger }
    let isError = arguments.argumentCount == 4 && arguments.argument(at: 3).isKeyword("ERROR")
    session.execute {
      UnblockRequest(of: id, in: session.server, reason: isError ? "ERROR" : "TIMEOUT") { outcome in
        switch outcome {
        case .unblocked: session.output.appendInteger(1)
        case .notBlocked: session.output.appendInteger(0)
        case .impossible: session.output.appendError(ClientCommandError.noUnblock.text)
        case .error(let text): session.output.appendError(text)
        }
        session.executionDidFinish()
      }.attempt()
    }
  }

  private func writeTrackingInfo() {
    session.output.appendArrayHeader(6)
    session.output.appendBulk("flags")
    session.output.appendArrayHeader(1)
    session.output.appendBulk("off")
    session.output.appendBulk("redirect")
    session.output.appendInteger(-1)
    session.output.appendBulk("prefixes")
    session.output.appendArrayHeader(0)
  }

  private func writeHelp() {
    session.output.appendArrayHeader(Self.help.count)
    for line in Self.help { session.output.append(utf8Of: "+\(line)\r\n") }
  }

  private static let help = [
    "CLIENT <subcommand> [<arg> [value] [opt] ...]. The sidecar answers for its own clients:",
    "GETNAME", "    The name of this connection.",
    "GETREDIR", "    -1: nothing is tracked.",
    "ID", "    The number of this connection.",
    "INFO", "    What is known of this connection.",
    "KILL <address>", "    Close the connection that came from this address.",
    "KILL <option> <value> [<option> <value> [...]]", "    Close connections by ID, ADDR, LADDR, TYPE, USER, SKIPME.",
    "LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> [<id> ...]]", "    What is known of connections.",
    "LIST|KILL [[NOT-]<option> <value> [...]]", "    With a Valkey 9 as the default store: also its other options.",
    "NO-EVICT (ON|OFF), NO-TOUCH (ON|OFF)", "    Noted, without consequences.",
    "PAUSE <timeout> [WRITE|ALL]", "    Hold all connections, or those that write, for <timeout> milliseconds.",
    "REPLY (ON|OFF|SKIP)", "    Whether this connection gets replies.",
    "SETINFO (LIB-NAME|LIB-VER) <value>", "    Say which library this connection belongs to.",
    "SETNAME <name>", "    Name this connection.",
    "TRACKING OFF, TRACKINGINFO", "    Nothing is tracked.",
    "UNBLOCK <id> [TIMEOUT|ERROR]", "    End the waiting of a blocked connection.",
    "UNPAUSE", "    End a pause.",
    "HELP", "    This.",
  ]
}
