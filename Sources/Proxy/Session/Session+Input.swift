internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// Taking commands from the input, one by one or as a pipeline.
extension Session {
  /// The outcome of trying to take a command.
  enum Disposal {
    /// It is in flight, or answered.
    case taken
    /// It stays in the input until those before it are done.
    case waits
  }

  typealias Progress = SessionInput.Progress

  /// The values that apply to all commands of one call of ``process(_:)``, looked up once.
  struct Turn {
    let database: Database
    let routing: Routing
    /// The connection for reads and writes that only one store executes.
    let ordinary: HiredisConnection
    let inventory: InventoryCounts
    /// Whether a write that only one store executes leaves a stale key on the other.
    let marksWrites: Bool
    /// Whether commands may have to wait for keys that are stale on the default store, or not there yet.
    let mayAwaitKeys: Bool

    init(_ database: Database, _ inventory: InventoryCounts, routing: Routing) {
      self.database = database
      self.routing = routing
      ordinary = database.store(routing.defaultStore).ordinary
      self.inventory = inventory
      marksWrites = database.marksWrites
      mayAwaitKeys = database.mayAwaitKeys(routing)
    }
  }

  /// Takes as many whole commands from `bytes` as can be executed now, up to one that is to be detached from the input.
  func process(_ bytes: Span<UInt8>) -> Progress {
    guard !input.isRefusing else { return Progress(consumed: skipRefusedCommand(in: bytes)) }
    if own.watch.isOpen { own.checkWatch() }
    let wasWatching = own.watch.isOpen
    // A client in subscriber mode can't end its watch.
    guard let routing = instance.routing(orNotify: self, watching: isInSubscriberMode ? nil : own.watch.open) else {
      state.hold(for: .flip)
      return Progress()
    }
    let turn = Turn(database, server.inventory, routing: routing)
    isProcessing = true
    defer { isProcessing = false }
    var (consumed, largeLength) = (0, 0)
    var gathered: CommandBatch?
    // The sidecar's own answers are in the output at once, and may be much longer than the commands.
    parsing: while consumed < bytes.count, !isClosing, output.count < Self.outputHighWater,
      delivery.maySkipNoMore(&output, isQuiet: isQuiet)
    {
      switch input.parse(bytes.extracting(consumed..<bytes.count)) {
      case .needsMore:
        break parsing
      case .nothing(let length):
        consumed += length
        delivery.inputIsNoCommand()
      case .invalid(.unbalancedQuotes) where dialect.contains(.joinsQuotedParts) && input.joinQuotedParts():
        continue parsing
      case .invalid(let error):
        guard gathered == nil, isQuiet else { break parsing }
        _ = delivery.commandIsTaken()
        rejectInput(error)
        consumed = bytes.count
      case .command(let command) where input.isToBeDetached(command, of: bytes.count - consumed):
        largeLength = command.length
        break parsing
      case .command(let command):
        let isSkipped = delivery.commandIsTaken()
        let disposal: Disposal
        if command.isInline {
          let inline = input.inlineCommand
          disposal = take(inline.span, command, turn, &gathered)
        } else {
          disposal = take(bytes.extracting(consumed..<consumed + command.length), command, turn, &gathered)
        }
        guard disposal == .taken else {
          if isSkipped { delivery.commandWaits() }
          break parsing
        }
        consumed += command.length
        if gathered == nil { finishAnswers() }
        // RESET goes back to the first database. When a watch ends, the default store may move.
        guard !delivery.isSkipping, self.database === turn.database, own.watch.isOpen || !wasWatching else {
          break parsing
        }
      }
    }
    if let gathered { execute(gathered, as: gathered.count == 1 ? .single : .pipelined, routing: routing) }
    return Progress(consumed: consumed, largeLength: largeLength)
  }

  /// Answers input that is not RESP. The bytes after it can't be trusted.
  func rejectInput(_ error: ProtocolError) {
    output.appendError(error.description)
    server.metrics.closed(.protocolError)
    if error == .handshakeOfTLS {
      server.noteRefusal("tls", "the client speaks TLS, and this port does not", of: stream.peer)
    }
    closeAfterReplies()
  }

  /// Dispatches one command, or adds it to the pipeline that is being gathered.
  private func take(
    _ bytes: Span<UInt8>,
    _ command: CommandParser.Command,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    let id = CommandTable.lookup(bytes.extracting(command.name), subcommand: bytes.extracting(command.second))
    if id == .other, Self.isFromHTTP(bytes.extracting(command.name)) {
      guard gathered == nil, isQuiet else { return .waits }
      server.metrics.closed(.protocolError)
      closeAfterReplies()
      return .taken
    }
    let spec = CommandTable.spec(id)
    guard delivery.isUpgrading else { return take(bytes, spec, command, turn, &gathered) }
    delivery.expect(spec.replyShape(of: bytes, in: dialect))
    let disposal = take(bytes, spec, command, turn, &gathered)
    if disposal == .waits { delivery.withdraw() }
    return disposal
  }

  /// Dispatches a command of the table.
  private func take(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ command: CommandParser.Command,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    guard server.watchesCommands else { return takeUnwatched(bytes, spec, command, turn, &gathered) }
    if server.pause.mode != nil, isHeldByPause(bytes, spec, argumentCount: command.argumentCount) {
      if gathered == nil, isQuiet { waitForEndOfPause(spec) }
      return .waits
    }
    if isMonitoring, isRefusedToMonitors(spec, argumentCount: command.argumentCount) {
      guard gathered == nil, isQuiet else { return .waits }
      refuseToMonitor(spec)
      return .taken
    }
    let isShown = isShownToMonitors(bytes, spec, argumentCount: command.argumentCount)
    let disposal = takeUnwatched(bytes, spec, command, turn, &gathered)
    // Afterwards, as on a server: a monitor gets the reply to its own command first, and the line of a SELECT has the
    // new database.
    if isShown, disposal == .taken { showToMonitors(bytes, spec) }
    return disposal
  }

  @inline(__always)
  private func takeUnwatched(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ command: CommandParser.Command,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    guard isAuthenticated, transaction == nil, !isInSubscriberMode, spec.accepts(argumentCount: command.argumentCount)
    else {
      guard gathered == nil, isQuiet, !waitsForLogin(spec, argumentCount: command.argumentCount) else { return .waits }
      lastCommand = spec.id
      // Commands that are refused for their form, or for lack of a login, say nothing about the application.
      if isAuthenticated, spec.accepts(argumentCount: command.argumentCount) {
        let commandClass = spec.commandClass(ofCommand: bytes)
        turn.inventory.count(spec.id, byOptions: spec.isCountedApart(bytes, as: commandClass))
      }
      answer(bytes, spec, command.argumentCount, turn.routing)
      return .taken
    }
    let commandClass = spec.commandClass(ofCommand: bytes)
    let before = lastCommand
    lastCommand = spec.id
    let disposal = dispatch(bytes, spec, commandClass, command.argumentCount, turn, &gathered)
    if disposal == .taken {
      turn.inventory.count(spec.id, byOptions: spec.isCountedApart(bytes, as: commandClass))
    } else {
      lastCommand = before
    }
    return disposal
  }

  /// Whether `name` begins a line of an HTTP request, which a web page may have made a browser send. A server closes
  /// such a connection; doing so on a connection that clients share would disconnect all of them.
  private static func isFromHTTP(_ name: Span<UInt8>) -> Bool { name.isKeyword("POST") || name.isKeyword("HOST:") }
}
