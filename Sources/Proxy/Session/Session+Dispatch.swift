internal import Hiredis
internal import MultiStore
internal import RESP

/// Taking the way of a command, as ``CommandDispatch`` has decided it, as soon as the commands before it permit.
extension Session {
  /// Takes the way of a command outside of a transaction, of a client that has logged in.
  func dispatch(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ commandClass: CommandClass,
    _ argumentCount: Int,
    _ turn: borrowing Turn,
    _ gathered: inout CommandBatch?
  ) -> Disposal {
    let routing = turn.routing
    let isScript = commandClass == .script
    let runsOnBoth = isScript && !own.watch.isOpen && instance.runsOnBoth(spec, routing)
    let isAlone = isScript && !runsOnBoth || commandClass == .unlisted
    if isAlone, gathered != nil { return .waits }
    if isAlone || runsOnBoth || !spec.traits.isDisjoint(with: [.empties, .namesDatabase]),
      let refusal = refusal(of: bytes, spec, commandClass, routing)
    {
      return gathered == nil ? refuse(refusal) : .waits
    }
    let identity = isAlone ? DeepReplies.identity(of: bytes, spec) : 0
    let facts = CommandDispatch.Facts(
      isWatching: own.watch.isOpen,
      flipAwaitsWatch: own.watch.isOpen && instance.awaitsWatches,
      hasPrimary: spec.traits.contains(.iterates) && turn.database.hasPrimary,
      hasDeepReply: isAlone && (spec.traits.contains(.deepReply) || server.deepReplies.contains(identity)),
      runsOnBoth: runsOnBoth,
      awaitsKeys: turn.mayAwaitKeys && awaitsKeys(bytes, spec, turn, isAlone: isAlone)
    )
    let way = CommandDispatch.way(of: spec, commandClass, routing: routing, facts)
    if way == .pipeline { return gather(bytes, spec.id, turn, &gathered) }
    // Everything else is an execution of its own: the pipeline so far goes first.
    guard gathered == nil else { return .waits }
    switch way {
    case .ordinary, .pipeline:
      let disposal = forwardOrWait(bytes, over: turn.ordinary)
      if turn.marksWrites, disposal == .taken { turn.database.willWriteAlone(bytes, spec) }
      return disposal
    case .watching: return forwardOrWait(bytes, over: own.watching ?? turn.ordinary)
    case .isolated(let executesAlone):
      let path = state.inFlight > 0 ? path : nil
      let connection = own.watching ?? database.store(routing.defaultStore).isolated(for: spec, following: path)
      guard executesAlone ? isQuiet : canForward(over: connection) else { return .waits }
      sendAlone(bytes, spec, over: connection, identity: identity, routing, executesAlone: executesAlone)
      return .taken
    case .endOfWatch:
      giveUpWatchForMove()
      return .waits
    case .answered: return takeAnswered(bytes, spec, argumentCount, routing)
    case .page, .awaiting, .dedicated, .blocking, .raw:
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
    case .page, .awaiting(isWatching: true):
      execute(batch(of: bytes, spec), as: .single, routing: routing, over: own.watching)
    case .awaiting(isWatching: false): execute(batch(of: bytes, spec), as: .single, routing: routing)
    case .raw: return takeRaw(bytes, spec, routing)
    default:
      guard !isGone, let connection = own.connection(to: routing.defaultStore, of: database) else {
        return refuse(OwnConnection.limitIsReached)
      }
      if case .dedicated(let executesAlone) = way {
        sendAlone(bytes, spec, over: connection, routing, executesAlone: executesAlone)
      } else {
        database.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
        executeBlocking(bytes, spec, over: connection, routing)
      }
    }
    return .taken
  }

  /// Whether a command can't share a pipeline, or be forwarded, because it has to wait for keys. Those that share a
  /// pipeline wait together until it is known which keys the default store lacks.
  private func awaitsKeys(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ turn: borrowing Turn, isAlone: Bool) -> Bool {
    isAlone
      ? turn.database.awaitsKeys(bytes, spec, routing: turn.routing)
      : turn.database.namesAwaitedKey(bytes, spec, routing: turn.routing)
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

  /// Returns the error for a command that is not executed, whatever its way would be; nil for all others.
  private func refusal(
    of bytes: Span<UInt8>,
    _ spec: CommandSpec,
    _ commandClass: CommandClass,
    _ routing: Routing
  ) -> String? {
    if spec.traits.contains(.empties), let refusal = instance.refusal(of: spec) { return refusal.error(for: spec) }
    if routing.isDual, let refusal = instance.refusal(toReachDatabaseOf: bytes, spec) { return refusal.clientError }
    guard commandClass == .script || commandClass == .unlisted else { return nil }
    if let refusal = spec.refusal(of: bytes) { return refusal.error(for: spec) }
    guard let refusal = instance.refusal(of: spec) else {
      return instance.refusal(ofScript: bytes, spec, routing)?.clientError
    }
    if isQuiet { instance.methodMissing(spec.id) }
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
      let batch = database.makeBatch()
      if let largeCommand = input.largeCommand { batch.hold(largeCommand, id: id) } else { batch.append(bytes, id: id) }
      gathered = batch
    }
    return .taken
  }

  private func forwardOrWait(_ bytes: Span<UInt8>, over connection: HiredisConnection) -> Disposal {
    guard canForward(over: connection), !waitsForDrain(of: connection, bytes) else { return .waits }
    let hasRoom = connection.hasRoom(commands: 1, bytes: bytes.count)
    guard hasRoom || isQuiet else { return .waits }
    hasWaited = false
    guard hasRoom else {
      let failure = ConnectionFailure.queueFull(limit: connection.limits.maxQueuedCommands)
      database.refused(by: connection)
      return refuse(clientError(failure, over: connection))
    }
    forward(bytes, over: connection)
    return .taken
  }

  /// Answers with an error once that answer is the next in order.
  private func refuse(_ message: String) -> Disposal {
    guard isQuiet else { return .waits }
    output.appendError(message)
    finishTurn()
    return .taken
  }

  /// Executes a command whose reply hiredis can't read.
  private func takeRaw(_ bytes: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) -> Disposal {
    let batch = batch(of: bytes, spec)
    guard !isGone, executeRaw(batch, routing: routing) else {
      database.recycle(batch)
      return refuse(OwnConnection.limitIsReached)
    }
    database.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    return .taken
  }

  /// Sends one command to the default store over `connection`. If it is executed alone, its effect is copied to the
  /// other store; over the session's own connection, it must also end before the flags change.
  private func sendAlone(
    _ bytes: Span<UInt8>,
    _ spec: CommandSpec,
    over connection: HiredisConnection,
    identity: Int = 0,
    _ routing: Routing,
    executesAlone: Bool
  ) {
    database.willExecuteOnDefaultStoreAlone(bytes, spec, routing: routing)
    guard executesAlone else { return forward(bytes, over: connection, identity: identity) }
    execute(batch(of: bytes, spec), as: .single, routing: routing, over: connection, identity: identity)
  }

  /// Returns a batch of one command.
  func batch(of bytes: Span<UInt8>, _ spec: CommandSpec) -> CommandBatch {
    let batch = database.makeBatch()
    batch.append(bytes, id: spec.id)
    return batch
  }
}
