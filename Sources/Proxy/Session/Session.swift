internal import EventLoop
internal import Hiredis
internal import MultiStore
internal import RESP

/// One client's connection: commands in, replies out, in order.
///
/// It connects the client's ``Stream`` with the parts that decide: ``SessionInput`` has the bytes that are not executed
/// yet, ``CommandDispatch`` the way of each command, ``SessionState`` what is in flight and when to close.
///
/// While one store is in use, commands are forwarded as they arrive, and the store's connection keeps their order.
/// While both are, one execution at a time is in flight, and the commands that arrive meanwhile become the next
/// pipeline. A command on any other way (another connection, an answer of the sidecar's own) waits until nothing is in
/// flight. So replies never have to be sorted. Confined to the instance's loop.
final class Session: ReplyOutput, BlockingSink, SubscriptionSink, RoutingWaiter {
  /// The most commands of one client that are executed as one pipeline.
  static let maxPipelineCommands = 1024
  /// The bytes of input that are kept while earlier commands are executed; a client with more is not read.
  static let inputHighWater = 256 << 10
  /// The bytes of output that a client may leave untaken; with more, no further command of it is executed.
  static let outputHighWater = 1 << 20
  /// Buffer memory that an active session keeps between two turns.
  static let keptCapacity = 16 << 10

  let server: InstanceServer
  /// The database that the client has selected.
  var database: Database
  let stream: Stream
  /// The answer to CLIENT ID.
  let id: Int
  /// The listener's address.
  let localAddress: String
  let connectedAt: UInt64
  /// The name, the user and the library that the client has set.
  var client = ClientAttributes()
  /// The last command that was executed, or is; `CommandID.other` before the first.
  var lastCommand = CommandID.other
  var isAuthenticated: Bool {
    didSet { input.limits = isAuthenticated ? server.limits.parser : server.limits.parser.beforeLogin }
  }
  /// The last activity of the client.
  var pace: ClientPace

  /// The input that is not executed yet.
  let input: SessionInput
  /// The session's life, and the state of its commands.
  var state = SessionState()
  /// The connection of the commands in flight.
  var path: HiredisConnection?
  /// The number of forwarded commands that may be in flight.
  var forwardWindow: ForwardWindow
  /// The number of commands that are executed as one pipeline.
  var replyWindow = ReplyWindow(maxCommands: maxPipelineCommands)
  /// The execution in flight.
  var executing = ExecutionInFlight()
  /// Whether commands are being taken from the input.
  var isProcessing = false
  /// Whether the command at the beginning of the input has waited for its connection to drain.
  var hasWaited = false
  /// The bytes that count in ``LargeWrites`` for the first command of the input, or for the one in flight; otherwise 0.
  var largeWriteBytes = 0
  /// The commands since MULTI; nil outside of a transaction.
  var transaction: Transaction?
  /// The session's own connection to the default store, for blocking commands and WATCH.
  let own: OwnConnection
  /// The client's subscriptions; nil when it has none.
  var subscription: Subscription?
  /// Whether the client is shown the commands of all clients.
  var isMonitoring = false
  /// The commands in flight that are shown to clients that monitor once their outcome is known.
  var withheldLines: WithheldLines?
  /// The way of the replies from `output` to the stream.
  var delivery = ReplyDelivery()
  /// The bytes of replies that the client had not taken when ``endOfTurn()`` was called last.
  var pendingBefore = 0
  /// The client's part of `memory_limit`.
  var memory = MemoryAccount()
  /// Whether the stream is read.
  var isReading = false
  /// Whether ``endOfTurn()`` is to be called.
  var isAtEndOfTurn = false

  init(server: InstanceServer, stream: Stream, localAddress: String, id: Int) {
    self.server = server
    database = server.multiStore.database
    self.stream = stream
    self.localAddress = localAddress
    self.id = id
    connectedAt = server.loop.now
    isAuthenticated = server.credentials == nil
    own = OwnConnection(of: server.multiStore.instance)
    input = SessionInput(
      limits: isAuthenticated ? server.limits.parser : server.limits.parser.beforeLogin,
      spares: server.spareBuffers
    )
    pace = ClientPace(at: server.loop.now)
    forwardWindow = ForwardWindow(maxCommands: server.limits.maxInFlight)
    super.init()
    stream.delegate = self
    updateReading()
  }

  /// The parts that the databases share. Reached through constants, so that no reference is counted.
  @inline(__always)
  var instance: Instance { server.multiStore.instance }

  /// The default store's dialect, which the session's own answers follow.
  var dialect: ServerDialect { database.defaultStore.server.dialect }

  /// Whether the connection is closed.
  var isGone: Bool { state.isGone }

  /// Whether nothing is in flight or held, so that the session's own answer is the next in order.
  var isQuiet: Bool { state.isQuiet }

  /// Whether no further command is executed.
  var isClosing: Bool { state.isClosing }

  func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? {
    guard !isGone else { return nil }
    path = own.connection(to: role, of: database)
    return path
  }

  func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    if failure.isReplyTooDeep, executing.identity != 0 { server.deepReplies.insert(executing.identity) }
    if lastCommand == .watch { watchFailed(failure) }
  }

  func executionWasCalledOff() {
    if state.executionWasCancelled() { finishTurn() }
  }

  func executionHasNoReply() {
    state.close()
    finishTurn()
  }

  func passOn(_ replies: Span<UInt8>) {
    executing.passedOnBytes += replies.count
    guard !isGone, !delivery.dropsReplies else { return }
    writeAtOnce(replies)
    finishTurn()
  }

  func executionDidFinish() {
    state.executionEnded()
    if withheldLines != nil { releaseMonitorLines() }
    replyWindow.executed(executing.commands, replyBytes: executing.passedOnBytes + output.count)
    executing = ExecutionInFlight()
    finishAnswers()
    endLargeWrite()
    if let subscription, subscription.isEmpty { releaseSubscription() }
    // Written before the end of the turn, so that this client can proceed while others are answered. Not while a
    // command is taken: only afterwards is it known whether CLIENT REPLY SKIP applies to its reply.
    if !isProcessing { writeOutput() }
    finishTurn()
  }

  func subscriptionDidReceive(_ reply: borrowing Reply) {
    if delivery.isUpgrading { return take(push: reply) }
    if !delivery.dropsReplies {
      reply.encode(into: &output)
    } else if reply.count > 2 {
      // Neither an error nor the reply to PING.
      let reply = copy reply
      writeUnasked { reply.encode(into: &$0) }
    }
    finishTurn()
  }

  func subscriptionDidEnd() {
    cutOff(.subscriptionLost)
  }

  func routingDidSettle() {
    release(from: .flip)
  }

  /// Resumes the input, which was held for `reason`.
  func release(from reason: SessionState.Hold) {
    state.release(from: reason)
    finishTurn()
  }

  /// Closes the connection after the replies that are in `output`.
  func closeAfterReplies() {
    state.close()
    finishTurn()
  }

  /// Closes the connection at once, and drops the replies that the client has not taken.
  func cutOff(_ reason: ClientCloseReason) {
    guard !isGone else { return }
    server.metrics.closed(reason)
    state.close()
    stream.close()
  }

  /// Executes the commands that were read, then closes the connection. Blocking commands are cancelled.
  func drain() {
    state.drain()
    abandonLogin()
    abandonPause()
    finishTurn()
  }

  /// Schedules `endOfTurn()`, which is called before the loop sleeps.
  func finishTurn() {
    guard !isAtEndOfTurn else { return }
    isAtEndOfTurn = true
    server.loop.atEndOfTurn(self)
  }
}
