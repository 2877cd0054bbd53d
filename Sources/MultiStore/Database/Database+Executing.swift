internal import CoreMetrics
public import Hiredis
public import RESP

/// Executing batches.
extension Database {
  /// A batch without commands.
  public func makeBatch() -> CommandBatch {
    pools.takeBatch()
  }

  /// Executes a batch by its routing, and writes its replies into `sink`'s output.
  ///
  /// - Parameters:
  ///   - batch: at least one command of the classes `read`, `keyspaceRead` and `write`, or anything in a transaction.
  ///     The instance takes it over.
  ///   - kind: `single` for one command, `pipelined` for several, `multi` for the commands between MULTI and EXEC.
  ///   - routing: the routing at the time when the batch was accepted.
  ///   - connection: the connection to the default store; nil for its ordinary one, or an isolated one for a
  ///     transaction with scripts. It is the session's own when the session watches keys, and an isolated one for a
  ///     script. With one, a read goes there whatever the read policy.
  ///   - sink: notified when all replies are in its output. That is before this call returns when the store's queue is
  ///     full.
  public func execute(
    _ batch: consuming CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection? = nil,
    for sink: any ReplySink
  ) {
    if mayAwaitKeys(routing), waitsForKeys(batch, .batch(kind, over: connection), routing, sink) { return }
    executeAtOnce(batch, as: kind, routing: routing, over: connection, for: sink)
  }

  /// Executes a batch whose keys are current on the default store.
  func executeAtOnce(
    _ batch: consuming CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection?,
    for sink: any ReplySink
  ) {
    if instance.marksWrites {
      for index in 0..<batch.count { batch.withCommand(index) { willWriteAlone($0, batch.spec(index)) } }
    }
    if kind == .single { return executeSingle(batch, routing, connection, sink) }
    let store = store(routing.defaultStore)
    // Scripts that both stores execute are ordered with other commands.
    let isIsolated = kind == .multi && batch.hasScripts && !(routing.isDual && configuration.scripts == .runOnBoth)
    let usual = isIsolated ? store.isolated : store.ordinary
    startPipeline(batch, kind, routing, connection ?? usual, sink)
  }

  /// Counts a command that was refused because the queue of the store of `connection` is full.
  public func refused(by connection: HiredisConnection) {
    store(owning: connection)?.metrics.rejected.increment()
  }

  /// Counts a command outside of routing, which is about to be sent to the default store alone, as what it is. The keys
  /// that it may change become stale on the other store.
  public func willExecuteOnDefaultStoreAlone(_ command: Span<UInt8>, _ spec: CommandSpec, routing: Routing) {
    instance.methodMissing(spec.id)
    noteScript(in: command, spec, routing)
    if instance.marksWrites { willWriteAlone(command, spec) }
    guard routing.isDual, spec.staysUncopied else { return }
    store(routing.defaultStore.other).markStale(command, spec, because: .uncopied)
    metrics.uncopiedWrite(spec.id)
  }

  /// Remembers the script, if there is one, of a command that is about to be sent. From then on the keys that commands
  /// name are remembered too, so that it is known which ones scripts have changed without naming them.
  func noteScript(in command: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) {
    instance.noteScript(in: command, spec)
    if notesWrittenKeys, routing.isDual, spec.changesByScript { quietKeys.rememberNames() }
  }

  /// Executes one command on the default store over a connection of its own, however deep its reply is nested.
  ///
  /// - Returns: false at the limit of dedicated connections; the batch is the caller's then.
  public func executeRaw(_ batch: CommandBatch, routing: Routing, for sink: any ReplySink) -> Bool {
    if mayAwaitKeys(routing), waitsForKeys(batch, .raw, routing, sink) { return true }
    return executeRawAtOnce(batch, routing: routing, for: sink)
  }

  /// The same for a command whose keys are current on the default store.
  func executeRawAtOnce(_ batch: CommandBatch, routing: Routing, for sink: any ReplySink) -> Bool {
    guard let connection = store(routing.defaultStore).openDedicated() else { return false }
    connection.handshake.toleratesBusyServer = batch.spec(0).traits.contains(.answeredWhileBusy)
    let execution = RawExecution(ExecutionCore(in: self, defaultRole: routing.defaultStore))
    rawExecutions[ObjectIdentifier(execution)] = execution
    execution.start(batch, routing: routing, over: connection, sink: sink)
    return true
  }

  /// Executes a blocking command over the client's own connection. When the default store moves meanwhile, the command
  /// moves with it, and `sink` is asked for a connection to the new one. If its own timeout and the store's command
  /// timeout have passed without a reply, its connection is closed within a second.
  public func executeBlocking(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    for sink: any BlockingSink
  ) {
    if mayAwaitKeys(routing), waitsForKeys(batch, .blocking(over: connection, for: sink), routing, sink) { return }
    executeBlockingAtOnce(batch, routing: routing, over: connection, for: sink)
  }

  /// The same for a command whose keys are current on the default store.
  func executeBlockingAtOnce(
    _ batch: CommandBatch,
    routing: Routing,
    over connection: HiredisConnection,
    for sink: any BlockingSink
  ) {
    BlockedCommand(ExecutionCore(in: self, defaultRole: routing.defaultStore)).start(
      batch,
      routing: routing,
      over: connection,
      for: sink
    )
  }

  /// The connection of `role` for commands of `commandClass`.
  private func connection(to role: StoreRole, for commandClass: CommandClass) -> HiredisConnection {
    let store = store(role)
    switch commandClass {
    case .script, .unlisted, .pubsub, .blocking: return store.isolated
    case .read, .keyspaceRead, .write, .connection, .transaction: return store.ordinary
    }
  }

  private func executeSingle(
    _ batch: consuming CommandBatch,
    _ routing: Routing,
    _ connection: HiredisConnection?,
    _ sink: any ReplySink
  ) {
    let spec = batch.spec(0)
    let commandClass = batch.commandClass(0)
    if let connection, commandClass == .read || commandClass == .keyspaceRead {
      return startPipeline(batch, .single, routing, connection, sink)
    }
    if connection == nil, instance.runsOnBoth(spec, routing) {
      return startPipeline(batch, .pipelined, routing, store(routing.defaultStore).ordinary, sink)
    }
    if spec.traits.contains(.iterates), readsOnePage(batch, spec, routing, sink) { return }
    switch routing.route(for: commandClass) {
    case .dualWrite:
      startDualWrite(batch, routing, connection, sink)
    case .primaryWithFallback where routing.defaultStore == .secondary && primary?.ordinary.hasLongCommand == true:
      // The default store has the value, and does not have to wait for the copy of a large key.
      startPipeline(batch, .single, routing, secondary.ordinary, sink)
    case .primaryWithFallback:
      let execution = pools.fallbackReads.take(for: routing.defaultStore, in: self)
      execution.start(batch, routing: routing, sink: sink)
    case .single(let role):
      let connection = connection ?? self.connection(to: role, for: commandClass)
      if routing.isDual, spec.effect != .none, commandClass != .read {
        startDualWrite(batch, routing, connection, sink)
      } else {
        startPipeline(batch, .single, routing, connection, sink)
      }
    }
  }

  /// Reads a page from the store that gave the cursor, or from the default store if neither did and the read policy has
  /// no fallback.
  ///
  /// - Returns: false for the first page under the `fallback` policy.
  private func readsOnePage(
    _ batch: CommandBatch,
    _ spec: CommandSpec,
    _ routing: Routing,
    _ sink: any ReplySink
  ) -> Bool {
    let isContinued = batch.withCommand(0) { StoreCursor.owner(of: $0, spec) != nil }
    guard isContinued || routing.route(for: spec.commandClass) != .primaryWithFallback else { return false }
    let execution = pools.pageReads.take(for: routing.defaultStore, in: self)
    execution.start(batch, routing: routing, sink: sink)
    return true
  }

  private func startDualWrite(
    _ batch: consuming CommandBatch,
    _ routing: Routing,
    _ connection: HiredisConnection?,
    _ sink: any ReplySink
  ) {
    let execution = pools.dualWrites.take(for: routing.defaultStore, in: self)
    execution.start(batch, routing: routing, over: connection, sink: sink)
  }

  private func startPipeline(
    _ batch: consuming CommandBatch,
    _ kind: BatchKind,
    _ routing: Routing,
    _ connection: HiredisConnection,
    _ sink: any ReplySink
  ) {
    let execution = pools.pipelines.take(for: routing.defaultStore, in: self)
    execution.start(batch, kind: kind, routing: routing, over: connection, sink: sink)
  }

  /// Takes back a batch that was not executed.
  public func recycle(_ batch: consuming CommandBatch) {
    batch.removeAll()
    pools.recycle(batch)
  }

  /// The planner of the copies to `other`, for the current time.
  func copyPlanner(for other: Store) -> CopyPlanner {
    CopyPlanner(now: loop.wallClockMilliseconds, hasAbsoluteExpiry: other.server.hasAbsoluteExpiry)
  }
}
