internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// One client's connection: commands in, replies out, in order.
///
/// With one store in use, commands are forwarded as they come, and the store's connection keeps their order. With both
/// in use, one execution at a time is under way, and what arrives meanwhile becomes the next pipeline. Anything that
/// goes another way (another connection, an answer of the sidecar's own) waits until nothing is in flight. So replies
/// never have to be sorted. Confined to the instance's loop.
final class Session: ReplySink {
  /// Commands of one client that are executed as one pipeline.
  static let maxPipelineCommands = 1024
  /// Input that is kept while earlier commands are executed; beyond it the client is not read.
  static let inputHighWater = 256 << 10
  /// Output that a client has not taken; beyond it no further command of the client is executed.
  static let outputHighWater = 1 << 20
  /// A reply's string of this size is written at once, instead of being copied into the output first.
  private static let directWriteBytes = 32 << 10
  /// Buffer memory that an active session keeps between two turns.
  static let keptCapacity = 16 << 10

  let server: InstanceServer
  /// The part of the instance that serves the database that the client has selected.
  var multiStore: MultiStore
  let stream: Stream
  /// What CLIENT ID says.
  let id: Int
  /// The address that the client has connected to.
  let localAddress: String
  let connectedAt: UInt64
  /// What the client has said about itself.
  var client = ClientAttributes()
  var replyMode = ReplyMode.on
  /// What was executed for the client last, or is; `CommandID.other` if that was nothing yet.
  var lastCommand = CommandID.other
  var isAuthenticated: Bool {
    didSet { input.limits = isAuthenticated ? server.limits.parser : server.limits.unauthenticatedParser }
  }
  /// When the client was active last.
  private(set) var pace: ClientPace

  /// The input that is not executed yet.
  let input: SessionInput
  /// Its life, and what its commands do.
  var state = SessionState()
  /// The connection of the commands in flight.
  private(set) var path: HiredisConnection?
  /// How many forwarded commands may be in flight.
  private var forwardWindow: ForwardWindow
  /// How many commands are executed as one pipeline.
  private(set) var replyWindow = ReplyWindow(maxCommands: maxPipelineCommands)
  /// Commands of the execution under way, and bytes of its replies that were passed on.
  private var executing = (commands: 0, bytes: 0, passedOnBytes: 0)
  /// Commands are being taken from the input.
  var isProcessing = false
  /// What stands for the command under way should its reply be too deep; 0 for what can't have such a reply.
  private var executingIdentity = 0
  /// The command at the beginning of the input has waited for its connection to drain.
  var hasWaited = false
  /// The length of the command at the beginning of the input, or of the one that is executed, if it has its place among
  /// ``LargeWrites``; otherwise 0.
  var largeWriteBytes = 0
  /// The commands since MULTI; nil outside of a transaction.
  var transaction: Transaction?
  /// The session's own connection to the default store: for what blocks, and for WATCH.
  var dedicated: DedicatedConnection?
  /// The keys that are watched there.
  var watch = WatchState()
  /// What the client listens to; nil outside of a server's subscriber mode.
  var subscription: Subscription?
  /// Bytes of replies that the client had not taken at the end of the last turn.
  private(set) var pendingBefore = 0
  /// What the client uses of `memory_limit`, as it was reported last.
  var memory = ClientMemory()
  /// What was granted for its large commands.
  var room = MemoryRoom()
  private var isReading = false
  private var isAtEndOfTurn = false

  init(server: InstanceServer, stream: Stream, localAddress: String, id: Int) {
    self.server = server
    multiStore = server.multiStore
    self.stream = stream
    self.localAddress = localAddress
    self.id = id
    connectedAt = server.loop.now
    isAuthenticated = server.credentials == nil
    input = SessionInput(
      limits: isAuthenticated ? server.limits.parser : server.limits.unauthenticatedParser,
      spares: server.spareBuffers
    )
    pace = ClientPace(at: server.loop.now)
    forwardWindow = ForwardWindow(maxCommands: server.limits.maxInFlight)
    super.init()
    stream.delegate = self
    updateReading()
  }

  /// True when nobody waits for replies any more.
  var isGone: Bool { state.isGone }

  /// True when nothing is on its way, so that an answer of the sidecar's own is the next in order.
  var isQuiet: Bool { state.isQuiet }

  /// True when no further command is executed.
  var isClosing: Bool { state.isClosing }

  /// True when a command may be forwarded over `connection` without overtaking anything.
  func canForward(over connection: HiredisConnection) -> Bool {
    switch state.lane {
    case .idle: true
    case .forwarding(let count): path === connection && forwardWindow.hasRoom(count)
    case .executing: false
    }
  }

  /// True when `command` has to stay in the input for now; it is taken up again when `connection` has drained, and then
  /// waits no more.
  func waitsForDrain(of connection: HiredisConnection, _ command: Span<UInt8>) -> Bool {
    guard command.count >= SessionInput.largeCommandBytes, !hasWaited, connection.isCongested else { return false }
    state.hold(for: .congestion)
    connection.whenDrained(self)
    return true
  }

  /// Forwards one command; its reply comes next after those of the commands before.
  ///
  /// - Parameter identity: what stands for the command should its reply be too deep; see ``DeepReplies``.
  @inline(__always)
  func forward(_ command: Span<UInt8>, over connection: HiredisConnection, identity: Int = 0) {
    state.commandForwarded()
    if path !== connection { path = connection }
    // The size comes first: to look whether there is a large command is counted as a reference.
    if command.count >= SessionInput.largeCommandBytes, let largeCommand = input.largeCommand {
      connection.send(command, of: largeCommand, to: self, token: identity)
    } else {
      connection.send(command, to: self, token: identity)
    }
  }

  /// Executes a batch; nothing else is executed until it is done.
  ///
  /// - Parameter identity: what stands for a single command should its reply be too deep; see ``DeepReplies``.
  func execute(
    _ batch: CommandBatch,
    as kind: BatchKind,
    routing: Routing,
    over connection: HiredisConnection? = nil,
    identity: Int = 0
  ) {
    state.executionBegan()
    executing = (batch.count, batch.byteCount, 0)
    executingIdentity = identity
    path = connection
    multiStore.execute(batch, as: kind, routing: routing, over: connection, for: self)
  }

  /// Executes one command that waits on the session's own connection; nothing else is executed until it is done.
  func executeBlocking(
    _ command: Span<UInt8>,
    _ spec: CommandSpec,
    over connection: HiredisConnection,
    _ routing: Routing
  ) {
    state.executionBegan()
    path = connection
    multiStore.executeBlocking(batch(of: command, spec), routing: routing, over: connection, for: self)
  }

  override func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? {
    guard !isGone else { return nil }
    path = dedicatedConnection(to: role)
    return path
  }

  /// Something that answers through ``executionDidFinish()``; nothing else is executed until it is done.
  func execute(_ body: () -> Void) {
    state.executionBegan()
    path = nil
    body()
  }

  /// Executes one command over a connection that hiredis does not read; false when it can have none.
  func executeRaw(_ batch: CommandBatch, routing: Routing) -> Bool {
    path = nil
    guard multiStore.executeRaw(batch, routing: routing, for: self) else { return false }
    state.executionBegan()
    return true
  }

  override func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    if failure.isReplyTooDeep, executingIdentity != 0 { server.deepReplies.insert(executingIdentity) }
  }

  override func executionWasCalledOff() {
    if state.executionWasCancelled() { finishTurn() }
  }

  override func passOn(_ replies: Span<UInt8>) {
    executing.passedOnBytes += replies.count
    guard !isGone, !dropsReplies else { return }
    pace.wasActive(at: server.loop.now)
    output.withSpan { stream.write($0, replies) }
    output.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    finishTurn()
  }

  override func executionDidFinish() {
    state.executionEnded()
    replyWindow.executed(executing.commands, replyBytes: executing.passedOnBytes + output.count)
    executing = (0, 0, 0)
    endLargeWrite()
    if let subscription, subscription.isEmpty { releaseSubscription() }
    // Others are answered in the same turn: this client can go on meanwhile. A command that is refused while it is
    // taken may be one whose reply is not wanted, which is known when it was taken.
    if !isProcessing { writeOutput() }
    finishTurn()
  }

  override func subscriptionDidReceive() {
    finishTurn()
  }

  override func subscriptionDidEnd() {
    cutOff(.subscriptionLost)
  }

  override func routingDidSettle() {
    release(from: .flip)
  }

  /// A large command that has waited for others may be executed.
  private func largeWriteMayBegin(_ bytes: Int) {
    largeWriteBytes = bytes
    release(from: .largeWrites)
  }

  private func endLargeWrite() {
    guard largeWriteBytes > 0 else { return }
    var ended = largeWriteBytes
    largeWriteBytes = 0
    while let next = server.largeWrites.end(ended) {
      next.session.largeWriteMayBegin(next.bytes)
      ended = 0
    }
  }

  /// Goes on with the input, which has waited for `reason`.
  func release(from reason: SessionState.Hold) {
    state.release(from: reason)
    finishTurn()
  }

  /// Lets the client go after the replies that are in `output`.
  func closeAfterReplies() {
    state.close()
    finishTurn()
  }

  /// Cuts the client off; what it was owed is dropped.
  func cutOff(_ reason: ClientCloseReason) {
    guard !isGone else { return }
    server.metrics.closed(reason)
    state.close()
    stream.close()
  }

  /// Executes what was read already, then lets the client go. What waits for others is not waited for.
  func drain() {
    state.drain()
    abandonLogin()
    finishTurn()
  }

  /// Notices that a client takes what it is owed, however slowly, or goes on with a large command. To be called often.
  func notePace() {
    pace.look(pendingWriteBytes: stream.pendingWriteBytes, inputBytes: inputCount, at: server.loop.now)
  }

  /// Gives back the connection that a client had to itself, unless that watches keys or executes something.
  func releaseUnusedConnection() {
    if isQuiet, !watch.isOpen { releaseDedicated() }
  }

  /// Gives back memory that an idle client has no use for.
  func trim() {
    if output.isEmpty { output.removeAll(keepingCapacityUpTo: 0) }
    input.trim()
  }

  /// Has `endOfTurn()` called before the loop sleeps.
  func finishTurn() {
    guard !isAtEndOfTurn else { return }
    isAtEndOfTurn = true
    server.loop.atEndOfTurn(self)
  }

  /// Waiting on its own connection for something to happen: BLPOP and its like.
  var isBlocked: Bool {
    guard state.lane != .idle, let dedicated, path === dedicated.connection else { return false }
    let traits = CommandTable.spec(lastCommand).traits
    // A command that waits only when asked is an execution then, and is forwarded when it just reads.
    return state.isExecuting ? traits.mayBlock : traits.contains(.blocks)
  }

  /// Sends the replies that are there, unless the client does not want them.
  func writeOutput() {
    guard !output.isEmpty else { return }
    pace.wasActive(at: server.loop.now)
    if !dropsReplies { output.withSpan { stream.write($0) } }
    output.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }

  private static let lineEnd: InlineArray<2, UInt8> = [UInt8(ascii: "\r"), UInt8(ascii: "\n")]

  /// Bytes of the client's that are kept here.
  var inputCount: Int { input.count }

  /// Bytes of commands in a transaction, or that are being executed.
  var heldBytes: Int { executing.bytes + (transaction?.batch.byteCount ?? 0) }

  /// Bytes of replies that the client has not taken.
  var owedBytes: Int { output.count + stream.pendingWriteBytes }

  private var hasHeadroom: Bool { hasRoom(for: owedBytes, below: Self.outputHighWater) }

  /// Whether there may be more than so many bytes of one kind. When memory is short, only a little.
  private func hasRoom(for bytes: Int, below highWater: Int) -> Bool {
    bytes < Self.keptCapacity || bytes < highWater && !server.memory.isTight
  }
}

extension Session: ReplyReceiver {
  func receive(_ reply: borrowing Reply, token: Int) {
    state.replyReceived()
    if !isGone { write(reply) }
    finishTurn()
  }

  private func write(_ reply: borrowing Reply) {
    let isLarge = reply.kind == .string && reply.bytes.count >= Self.directWriteBytes && !dropsReplies
    guard isLarge else { return reply.encode(into: &output) }
    pace.wasActive(at: server.loop.now)
    output.appendBulkHeader(reply.bytes.count)
    let value = reply.bytes
    output.withSpan { stream.write($0, value, Self.lineEnd.span) }
    output.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    state.replyReceived()
    if failure.isReplyTooDeep, token != 0 { server.deepReplies.insert(token) }
    if watch.isOpen { checkWatch(after: failure) }
    if !isGone { output.appendError(clientError(failure, over: path)) }
    finishTurn()
  }
}

extension Session: DrainWaiter {
  func connectionDidDrain() {
    hasWaited = true
    release(from: .congestion)
  }
}

extension Session: StreamDelegate {
  func stream(_ stream: Stream, didRead bytes: Span<UInt8>) {
    guard !isClosing else { return }
    if inputCount == 0, hasHeadroom, !state.isHeld {
      let consumed = process(bytes).consumed
      if consumed < bytes.count { keep(bytes.extracting(consumed..<bytes.count)) }
    } else {
      keep(bytes)
    }
    guard inputCount <= server.limits.inputBufferLimit else { return cutOff(.inputBufferLimit) }
    finishTurn()
  }

  private func keep(_ bytes: Span<UInt8>) {
    let directBytes = input.keep(
      bytes,
      mayReserve: hasRoom(forCommandOf: input.knownLength),
      readRoom: server.directReadRoom()
    ) { stream.read(into: &$0) }
    server.directReads.bytes += directBytes
  }

  func streamDidDrain(_ stream: Stream) {
    pace.wasActive(at: server.loop.now)
    finishTurn()
  }

  func streamDidReachEnd(_ stream: Stream) {
    state.clientEnded()
    drain()
  }

  func streamDidClose(_ stream: Stream, error: StreamError?) {
    state.disconnected(isWaiting: isBlocked || subscription != nil)
    pendingBefore = 0
    abandonLogin()
    if isClosing { releaseConnections() }
    finishTurn()
  }
}

extension Session: EndOfTurnWorker {
  func endOfTurn() {
    isAtEndOfTurn = false
    if isGone { output.removeAll(keepingCapacityUpTo: 0) }
    defer { accountForMemory() }
    while inputCount > 0, state.takesInput, hasHeadroom, input.take({ process($0) }) {}
    // It went another way, or the client is not served any more.
    if !state.isExecuting, !state.isHeld { endLargeWrite() }
    switch state.inputWasTaken() {
    case .serve: serveOutput()
    case .wait: return
    case .release:
      releaseConnections()
      dropInput()
      server.didClose(self)
    }
  }

  /// Sends the replies of the turn, and closes the connection or reads on.
  private func serveOutput() {
    let isHeldUpByReplies = !hasHeadroom && inputCount > 0 && !isClosing
    // One turn's replies may exceed the limit, so that a large one reaches a client that takes it.
    if pendingBefore > server.limits.outputBufferLimit, owedBytes > pendingBefore { return cutOff(.outputBufferLimit) }
    let hasReplied = !output.isEmpty
    writeOutput()
    pendingBefore = stream.pendingWriteBytes
    forwardWindow.adapt(hasReplied: hasReplied, owed: pendingBefore, highWater: Self.outputHighWater)
    // If the socket has taken them all, no drain will come to go on with the input.
    if isHeldUpByReplies, hasHeadroom { finishTurn() }
    switch state.outputWasSent(isHeldUp: isHeldUpByReplies, isBlocked: isBlocked) {
    case .read: updateReading()
    case .close: stream.closeAfterWriting()
    case .cancelWait:
      let isCancelled = multiStore.callOffBlockedCommands(of: self)
      if state.waitWasCancelled(isCancelled) { stream.closeAfterWriting() } else { updateReading() }
    }
  }

  /// What was not executed by now never will be.
  private func dropInput() {
    input.removeAll()
    transaction = nil
  }

  /// Gives up the connections that it has to itself, which a client that is gone keeps while it watches keys for what
  /// it has still to say.
  private func releaseConnections() {
    releaseDedicated()
    releaseSubscription()
  }

  private func updateReading() {
    // Who is blocked may be gone before its turn comes, and must not be taken for somebody who still waits.
    let hasRoom = isQuiet || hasRoom(for: inputCount, below: Self.inputHighWater) || isBlocked
    let canRead = state.mayRead && hasHeadroom && hasRoom && !room.isAwaited
    guard canRead != isReading else { return }
    isReading = canRead
    if canRead { stream.startReading() } else { stream.stopReading() }
  }
}
