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

  /// How far one call of ``process(_:)`` has come.
  struct Progress {
    /// The bytes that are done with.
    var consumed = 0
    /// Length of a large command behind them, which is to be taken out of the input first; 0 if that is not why it
    /// ended.
    var largeLength = 0
  }

  /// Takes commands from what is kept of the input.
  ///
  /// - Returns: whether it is worth to go on.
  func takeInput() -> Bool {
    if let largeCommand {
      guard largeCommand.withSpan({ process($0) }).consumed > 0 else { return false }
      self.largeCommand = nil
      return true
    }
    let progress = input.withSpan { process($0) }
    input.removeFirst(progress.consumed)
    guard progress.largeLength > 0 else { return progress.consumed > 0 }
    largeCommand = SharedBytes(input.detachFirst(progress.largeLength), spares: server.spareBuffers)
    return true
  }

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
    guard !isRefusing else { return Progress(consumed: refuseCommand(in: bytes)) }
    if watch.isOpen { checkWatch() }
    let wasWatching = watch.isOpen
    // A client that listens can't end its watch.
    guard let routing = multiStore.routing(orNotify: self, watching: subscription == nil ? watch.open : nil) else {
      isHeld = true
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
      switch parser.parse(bytes.extracting(consumed..<bytes.count)) {
      case .needsMore:
        break parsing
      case .nothing(let length):
        consumed += length
      case .invalid(let error):
        guard gathered == nil, isQuiet else { break parsing }
        rejectInput(error)
        consumed = bytes.count
      case .command(let command) where isToBeDetached(command, after: consumed, in: bytes):
        largeLength = command.length
        break parsing
      case .command(let command):
        let disposal: Disposal
        if command.isInline {
          let inline = parser.inlineCommand
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

  /// Whether a command goes on its way in the memory that it came into. What follows it has to be copied then, so that
  /// must not be more.
  private func isToBeDetached(_ command: CommandParser.Command, after consumed: Int, in bytes: Span<UInt8>) -> Bool {
    command.length >= Self.largeCommandBytes && largeCommand == nil && !command.isInline
      && bytes.count - consumed <= 2 * command.length
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
      takeUncommon(bytes, spec, command.argumentCount, turn.routing)
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

  /// A command outside of a transaction, of a client that has logged in: the way that its class goes.
  private func dispatch(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ commandClass: CommandClass,
    _ argumentCount: Int,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    let routing = turn.routing
    if spec.traits.contains(.iterates), turn.multiStore.hasPrimary {
      // A page comes from the store that gave the cursor, whatever the flags say.
      guard gathered == nil, isQuiet else { return .waits }
      let batch = turn.multiStore.makeBatch()
      batch.append(bytes, id: spec.id)
      execute(batch, as: .single, routing: routing, over: watchingConnection)
      return .taken
    }
    if spec.traits.contains(.empties), let refusal = turn.multiStore.refusal(of: spec) {
      return gathered == nil ? refuse(refusal.error(for: spec)) : .waits
    }
    if routing.isDual, let refusal = turn.multiStore.refusal(toReachDatabaseOf: bytes, spec) {
      return gathered == nil ? refuse(refusal.clientError) : .waits
    }
    if let watchingConnection, commandClass == .read || commandClass == .keyspaceRead {
      return gathered == nil ? forwardOrWait(bytes, over: watchingConnection) : .waits
    }
    if routing.isDual, commandClass == .read || commandClass == .write || commandClass == .keyspaceRead {
      return gather(bytes, spec.id, turn, &gathered)
    }
    // Everything else is an execution of its own: the pipeline so far goes first.
    guard gathered == nil else { return .waits }
    if commandClass == .blocking || commandClass == .pubsub, givesWatchUpForMove() { return .waits }
    switch commandClass {
    case .read, .keyspaceRead, .write:
      return forwardOrWait(bytes, over: turn.ordinary)
    case .connection, .transaction, .pubsub:
      guard isQuiet, !waitsForLogin(spec, argumentCount: argumentCount) else { return .waits }
      takeUncommon(bytes, spec, argumentCount, routing)
      return .taken
    case .blocking:
      return takeOnDedicated(bytes, spec, routing, isBlocking: true)
    case .script, .unlisted:
      return takeIsolated(bytes, spec, routing)
    }
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
      if let largeCommand { batch.hold(largeCommand, id: id) } else { batch.append(bytes, id: id) }
      gathered = batch
    }
    return .taken
  }

  /// Whether a large command has to wait for others, as far as its client waits for its copy too.
  private func waitsForLargeWrites(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= Self.largeCommandBytes, largeWriteBytes == 0,
      multiStore.configuration.writeAcknowledgement == .both
    else { return false }
    isHeld = !server.largeWrites.begin(self, bytes: bytes.count)
    if !isHeld { largeWriteBytes = bytes.count }
    return isHeld
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

  /// Scripts and unlisted commands: to the default store alone, over its isolated connection or the one that watches.
  private func takeIsolated(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) -> Disposal {
    if let refusal = spec.refusal(of: bytes) { return refuse(refusal.error(for: spec)) }
    if let refusal = multiStore.refusal(of: spec) {
      guard isQuiet else { return .waits }
      multiStore.methodMissing(spec.id)
      return refuse(refusal.error(for: spec))
    }
    let identity = DeepReplies.identity(of: bytes, spec)
    if spec.traits.contains(.deepReply) || server.deepReplies.contains(identity) {
      return takeRaw(bytes, spec, routing)
    }
    if spec.traits.contains(.blocks) {
      return takeOnDedicated(bytes, spec, routing, isBlocking: false)
    }
    let connection = watchingConnection ?? multiStore.store(routing.defaultStore).isolated
    guard hasEffect(spec, routing) || watch.isOpen ? isQuiet : canForward(over: connection) else { return .waits }
    sendAlone(bytes, spec, over: connection, identity: identity, routing)
    return .taken
  }

  /// Commands whose replies hiredis can't read: over a connection past it.
  private func takeRaw(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) -> Disposal {
    guard isQuiet else { return .waits }
    let batch = multiStore.makeBatch()
    batch.append(bytes, id: spec.id)
    guard !isGone, executeRaw(batch, routing: routing) else {
      multiStore.recycle(batch)
      return refuse(Self.noDedicatedConnection)
    }
    multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    return .taken
  }

  /// Commands whose connection can serve nobody else meanwhile: over a connection of the session's own.
  ///
  /// - Parameter isBlocking: whether it waits for what other clients do, and moves with the default store.
  private func takeOnDedicated(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ routing: Routing,
    isBlocking: Bool
  ) -> Disposal {
    guard isQuiet else { return .waits }
    guard !isGone, let connection = dedicatedConnection(to: routing.defaultStore) else {
      return refuse(Self.noDedicatedConnection)
    }
    if isBlocking {
      multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
      executeBlocking(bytes, spec, over: connection, routing)
    } else {
      sendAlone(bytes, spec, over: connection, routing)
    }
    return .taken
  }

  private func hasEffect(_ spec: CommandSpec, _ routing: Routing) -> Bool {
    routing.isDual && spec.effect != .none
  }

  /// Sends one command to the default store over `connection`; what it changes is copied to the other store. What it
  /// changes over a connection of the session's own has to be done before a change of the flags.
  private func sendAlone(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    over connection: HiredisConnection,
    identity: Int = 0,
    _ routing: Routing
  ) {
    multiStore.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    guard hasEffect(spec, routing) || watch.isOpen else {
      return forward(bytes, over: connection, identity: identity)
    }
    let batch = multiStore.makeBatch()
    batch.append(bytes, id: spec.id)
    execute(batch, as: .single, routing: routing, over: connection, identity: identity)
  }
}
