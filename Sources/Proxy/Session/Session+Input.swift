internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// Taking commands from the input and sending each on its way.
extension Session {
  /// What became of a command.
  enum Disposal {
    /// It is on its way, or answered.
    case taken
    /// It has to wait until what came before it is done; it stays in the input.
    case waits
  }

  typealias Progress = SessionInput.Progress

  /// What holds for all commands of one call of ``process(_:)``, looked up once.
  private struct Turn {
    let multiStore: MultiStore
    let routing: Routing
    /// Where reads and writes go that one store alone executes.
    let ordinary: HiredisConnection
    let inventory: InventoryCounts
  }

  /// Takes as many whole commands from `bytes` as can be executed now, up to one that is to be detached from the input.
  func process(_ bytes: Span<UInt8>) -> Progress {
    guard !input.isRefusing else { return Progress(consumed: skipRefusedCommand(in: bytes)) }
    if watch.isOpen { checkWatch() }
    let wasWatching = watch.isOpen
    // A client that listens can't end its watch.
    guard let routing = multiStore.routing(orNotify: self, watching: subscription == nil ? watch.open : nil) else {
      state.hold(for: .flip)
      return Progress()
    }
    let turn = Turn(
      multiStore: multiStore,
      routing: routing,
      ordinary: multiStore.store(routing.defaultStore).ordinary,
      inventory: server.inventory
    )
    isProcessing = true
    defer { isProcessing = false }
    var (consumed, largeLength) = (0, 0)
    var gathered: CommandBatch?
    parsing: while !isClosing, canTakeNextCommand() {
      switch input.parse(bytes.extracting(consumed..<bytes.count)) {
      case .needsMore:
        break parsing
      case .nothing(let length):
        consumed += length
      case .invalid(let error):
        guard gathered == nil, isQuiet else { break parsing }
        rejectInput(error)
        consumed = bytes.count
      case .command(let command) where input.isToBeDetached(command, of: bytes.count - consumed):
        largeLength = command.length
        break parsing
      case .command(let command):
        let disposal: Disposal
        if command.isInline {
          let inline = input.inlineCommand
          disposal = take(inline.span, command, turn, &gathered)
        } else {
          disposal = take(bytes.extracting(consumed..<consumed + command.length), command, turn, &gathered)
        }
        guard disposal == .taken else { break parsing }
        consumed += command.length
        if replyMode == .skipNext, lastCommand != .clientReply { replyMode = .skipping }
        // RESET goes back to the first database. When a watch ends, the default store may move.
        guard replyMode != .skipping, multiStore === turn.multiStore, watch.isOpen || !wasWatching else {
          break parsing
        }
      }
    }
    if let gathered { execute(gathered, as: gathered.count == 1 ? .single : .pipelined, routing: routing) }
    return Progress(consumed: consumed, largeLength: largeLength)
  }

  /// Answers input that is no RESP, after which nothing can be trusted.
  func rejectInput(_ error: ProtocolError) {
    output.appendError(error.description)
    server.metrics.closed(.protocolError)
    closeAfterReplies()
  }

  /// Sends one command on its way, or adds it to the pipeline that is being gathered.
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
    guard isAuthenticated, transaction == nil, subscription == nil,
      spec.accepts(argumentCount: command.argumentCount)
    else {
      guard gathered == nil, isQuiet, !waitsForLogin(spec, argumentCount: command.argumentCount) else { return .waits }
      lastCommand = id
      // What is refused for its form, or for want of a login, says nothing about the application.
      if isAuthenticated, spec.accepts(argumentCount: command.argumentCount) {
        turn.inventory.count(id, byOptions: spec.commandClass(ofCommand: bytes) != spec.commandClass)
      }
      answer(bytes, spec, command.argumentCount, turn.routing)
      return .taken
    }
    let commandClass = spec.commandClass(ofCommand: bytes)
    let before = lastCommand
    lastCommand = id
    let disposal = dispatch(bytes, spec, commandClass, command.argumentCount, turn, &gathered)
    if disposal == .taken {
      turn.inventory.count(id, byOptions: commandClass != spec.commandClass)
    } else {
      lastCommand = before
    }
    return disposal
  }

  /// A server cuts off whoever says this, since a web page may have made a browser say it. On a connection that clients
  /// share, that would be all of them.
  private static func isFromHTTP(_ name: Span<UInt8>) -> Bool { name.isKeyword("POST") || name.isKeyword("HOST:") }

  /// Takes the way of a command outside of a transaction, of a client that has logged in.
  private func dispatch(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ commandClass: CommandClass,
    _ argumentCount: Int,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    let routing = turn.routing
    let isAlone = commandClass == .script || commandClass == .unlisted
    if isAlone, gathered != nil { return .waits }
    if isAlone || !spec.traits.isDisjoint(with: [.empties, .namesDatabase]),
      let refusal = refusal(of: bytes, spec, commandClass, routing)
    {
      return gathered == nil ? refuse(refusal) : .waits
    }
    let identity = isAlone ? DeepReplies.identity(of: bytes, spec) : 0
    let facts = CommandDispatch.Facts(
      isWatching: watch.isOpen,
      flipAwaitsWatch: watch.isOpen && multiStore.awaitsWatches,
      hasPrimary: spec.traits.contains(.iterates) && turn.multiStore.hasPrimary,
      hasDeepReply: isAlone && (spec.traits.contains(.deepReply) || server.deepReplies.contains(identity))
    )
    let way = CommandDispatch.way(of: spec, commandClass, routing: routing, facts)
    if way == .pipeline { return gather(bytes, spec.id, turn, &gathered) }
    // Everything else is an execution of its own: the pipeline so far goes first.
    guard gathered == nil else { return .waits }
    switch way {
    case .ordinary, .pipeline: return forwardOrWait(bytes, over: turn.ordinary)
    case .watching: return forwardOrWait(bytes, over: watchingConnection ?? turn.ordinary)
    case .isolated(let executesAlone):
      let connection = watchingConnection ?? multiStore.store(routing.defaultStore).isolated
      guard executesAlone ? isQuiet : canForward(over: connection) else { return .waits }
      sendAlone(bytes, spec, over: connection, identity: identity, routing, executesAlone: executesAlone)
      return .taken
    case .endOfWatch:
      giveUpWatchForMove()
      return .waits
    case .answered: return takeAnswered(bytes, spec, argumentCount, routing)
    case .page, .dedicated, .blocking, .raw:
      guard isQuiet else { return .waits }
      return executeAlone(bytes, spec, by: way, routing)
    }
  }

  /// Executes a command that shares no connection. Nothing is in flight.
  private func executeAlone(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    by way: CommandDispatch.Way,
    _ routing: Routing
  ) -> Disposal {
    switch way {
    case .page: execute(batch(of: bytes, spec), as: .single, routing: routing, over: watchingConnection)
    case .raw: return takeRaw(bytes, spec, routing)
    default:
      guard !isGone, let connection = dedicatedConnection(to: routing.defaultStore) else {
        return refuse(Self.noDedicatedConnection)
      }
      if case .dedicated(let executesAlone) = way {
        sendAlone(bytes, spec, over: connection, routing, executesAlone: executesAlone)
      } else {
        multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
        executeBlocking(bytes, spec, over: connection, routing)
      }
    }
    return .taken
  }

  private func takeAnswered(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ argumentCount: Int,
    _ routing: Routing
  ) -> Disposal {
    guard isQuiet, !waitsForLogin(spec, argumentCount: argumentCount) else { return .waits }
    answer(bytes, spec, argumentCount, routing)
    return .taken
  }

  /// The error for a command that is not executed, whatever its way would be; nil for all others.
  private func refusal(
    of bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ commandClass: CommandClass,
    _ routing: Routing
  ) -> String? {
    if spec.traits.contains(.empties), let refusal = multiStore.refusal(of: spec) { return refusal.error(for: spec) }
    if routing.isDual, let refusal = multiStore.refusal(toReachDatabaseOf: bytes, spec) { return refusal.clientError }
    guard commandClass == .script || commandClass == .unlisted else { return nil }
    if let refusal = spec.refusal(of: bytes) { return refusal.error(for: spec) }
    guard let refusal = multiStore.refusal(of: spec) else { return nil }
    if isQuiet { multiStore.methodMissing(spec.id) }
    return refusal.error(for: spec)
  }

  private func gather(
    _ bytes: Span<UInt8>,
    _ id: CommandID,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    if let batch = gathered {
      guard batch.count < replyWindow.commands else { return .waits }
      batch.append(bytes, id: id)
    } else {
      guard isQuiet, !waitsForLargeWrites(bytes), !waitsForDrain(of: turn.ordinary, bytes) else { return .waits }
      hasWaited = false
      let batch = multiStore.makeBatch()
      if let largeCommand = input.largeCommand { batch.hold(largeCommand, id: id) } else { batch.append(bytes, id: id) }
      gathered = batch
    }
    return .taken
  }

  /// Whether a large command has to wait for others, as far as its client waits for its copy too.
  private func waitsForLargeWrites(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= SessionInput.largeCommandBytes, largeWriteBytes == 0,
      multiStore.configuration.writeAcknowledgement == .both
    else { return false }
    guard server.largeWrites.begin(self, bytes: bytes.count) else {
      state.hold(for: .largeWrites)
      return true
    }
    largeWriteBytes = bytes.count
    return false
  }

  private func forwardOrWait(_ bytes: Span<UInt8>, over connection: HiredisConnection) -> Disposal {
    guard canForward(over: connection), !waitsForDrain(of: connection, bytes) else { return .waits }
    let hasRoom = connection.hasRoom(commands: 1, bytes: bytes.count)
    guard hasRoom || isQuiet else { return .waits }
    hasWaited = false
    guard hasRoom else {
      let failure = ConnectionFailure.queueFull(limit: connection.limits.maxQueuedCommands)
      multiStore.refused(by: connection)
      return refuse(clientError(failure, over: connection))
    }
    forward(bytes, over: connection)
    return .taken
  }

  /// Answers with an error once that is next in order; until then the client waits with what it still has to say.
  private func refuse(_ message: String) -> Disposal {
    guard isQuiet else { return .waits }
    output.appendError(message)
    finishTurn()
    return .taken
  }

  /// Commands whose replies hiredis can't read: over a connection past it.
  private func takeRaw(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) -> Disposal {
    let batch = batch(of: bytes, spec)
    guard !isGone, executeRaw(batch, routing: routing) else {
      multiStore.recycle(batch)
      return refuse(Self.noDedicatedConnection)
    }
    multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    return .taken
  }

  /// Sends one command to the default store over `connection`. If it is executed alone, its effect is copied to the
  /// other store, and over a connection of the session's own it has to be done before a change of the flags.
  private func sendAlone(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    over connection: HiredisConnection,
    identity: Int = 0,
    _ routing: Routing,
    executesAlone: Bool
  ) {
    multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    guard executesAlone else { return forward(bytes, over: connection, identity: identity) }
    execute(batch(of: bytes, spec), as: .single, routing: routing, over: connection, identity: identity)
  }

  /// A batch of one command.
  func batch(of bytes: Span<UInt8>, _ spec: CommandSpec) -> CommandBatch {
    let batch = multiStore.makeBatch()
    batch.append(bytes, id: spec.id)
    return batch
  }
}
