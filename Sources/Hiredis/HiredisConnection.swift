internal import CHiredis
internal import DequeModule
public import EventLoop
public import RESP

/// A connection to one store that comes back by itself, on the loop's thread.
///
/// Commands go out in the order of the sends and are answered in that order. Whether a command that is sent while it
/// connects is queued depends on ``service``; one that is sent while it waits for its next attempt fails at once, so
/// that nobody waits for a store that is down. Nothing is ever sent twice: the sender decides whether to try again.
///
/// The delegate is not retained and has to outlive the connection. Dropping the connection closes it.
public final class HiredisConnection {
  enum State: Equatable {
    /// `connect` was not called.
    case idle
    /// An attempt begins shortly that is most likely to succeed: the first one, or the one after a loss. Commands wait
    /// for it.
    case starting
    /// Resolving, connecting or shaking hands.
    case connecting(holdsCommands: Bool)
    /// The handshake is done, and only probes are sent, one after the other.
    case proving(awaitsReply: Bool)
    case ready
    /// Until the next attempt.
    case waiting
    case closed
  }

  /// Bytes that may wait to be written before commands are held back: the deadline of a command begins when it is on
  /// its way, however much was before it.
  static let unwrittenHighWater = 1024 * 1024

  /// Where the store is.
  public let endpoint: StoreEndpoint
  /// How long this waits and how much it holds.
  public let limits: ConnectionLimits

  /// Commands that every new connection executes before any other; that the store refuses one is no failure.
  public var preparation: [[String]] = []

  /// Whether every new connection asks the server for its number there, so that another one can unblock it, or close it
  /// after a timeout.
  public var asksForClientID = false

  /// How long commands may wait for the store.
  public var service = Service.patient { didSet { if service != oldValue { serviceChanged() } } }

  /// The command that a store on ``Probation`` has to answer, an array of bulk strings; any reply will do.
  public var probe = Array("*1\r\n$4\r\nPING\r\n".utf8)

  /// Whether the connection is kept from being idle for long; see ``KeepAlive``. Set before `connect`.
  public var keepsAlive = false

  /// The number that the server gave the connection, as CLIENT ID says; nil while it is not known.
  public internal(set) var clientID: Int?

  /// Hears about the connection; not retained. It has to outlive the connection, or to set this to nil before it goes.
  public unowned var delegate: (any HiredisConnectionDelegate)?

  /// Gets everything that the store says after the handshake, in place of the receivers of commands: for connections
  /// on which a store speaks unasked. Set before the connection is ready, and not retained, like ``delegate``. Such a
  /// connection takes commands through ``push(_:)`` alone.
  public unowned var pushReceiver: (any PushReceiver)? { didSet { isPushing = pushReceiver != nil } }
  private var isPushing = false
  /// True to have ``pushReceiver`` get what the store says as bytes, which hiredis does not read: a reply may be nested
  /// deeper than it can. Set before the connection is ready.
  public var pushesBytes = false

  let loop: EventLoop
  var state = State.idle
  var context: HiredisContext? { didSet { unretainedContext = context.map(Unmanaged.passUnretained) } }
  /// The same for what each command passes through: it can't end while one is being sent.
  private var unretainedContext: Unmanaged<HiredisContext>?
  var lookup: HostLookup?
  /// Addresses of the present attempt that were not tried yet.
  var candidates: ArraySlice<SocketAddress> = []
  var handshake: Handshake
  var backoff: Backoff
  var probation = Probation()
  /// Why there is no connection, for those who want to send.
  var lastFailure = "connect was not called"
  /// The loop's clock when the present or last attempt began.
  var attemptedAt: UInt64 = 0
  /// The identity that the server gave in the last handshake.
  var identity: ServerIdentity?
  /// The lost connection on which commands were in flight, until the server was told to close it too.
  var orphan: Orphan?
  /// Why this side is giving the context up, to be reported when it has ended.
  var verdict: (kind: ConnectionDownReason.Kind, detail: String)?
  /// Receivers and the delegate are called only when a command was taken out, so that they may send from there.
  var queue: CommandQueue
  let failures: FailureDelivery
  /// Those who wait until what was sent before is written, and how much of `sentBytes` that is for the first of them.
  var drainWaiters = UniqueDeque<any DrainWaiter>()
  var drainMark = 0
  /// One of them was told, and has not sent yet.
  var hasToldWaiter = false
  /// Bytes of commands so far, over all connections that were made.
  private(set) var sentBytes = 0
  /// Starts attempts and probes, and ends those that take too long.
  var attemptTimer: LoopTimer?
  /// Runs while the connection is kept from being idle.
  var keepAlive: KeepAlive?
  /// Runs while commands are in flight. It is not set anew for each of them: when it fires it looks at the oldest.
  var deadlineTimer: LoopTimer?
  var isDeadlineSet = false
  /// Hands over the commands that linger; made for the first of them, which many connections never see.
  var lingerTimer: LoopTimer?
  /// The timer runs: some commands are held back for no other reason than that others may come.
  var isLingering = false
  /// Among what is not written yet there may be commands that are not urgent. Nobody waits for them, so that they leave
  /// even when the connection is closed.
  private var owesCommands = false
  private(set) var commandTimeoutNanoseconds: UInt64?
  /// Commands that were answered and of which the delegate has not heard: all sent in the same turn, and all answered
  /// in the present one.
  private var completed = (count: 0, errors: 0, sentAt: UInt64(0))
  /// Replies so far, over all connections that were made.
  public private(set) var replyCount: UInt64 = 0

  /// A connection that waits for `connect`.
  public convenience init(
    on loop: EventLoop,
    endpoint: StoreEndpoint,
    limits: ConnectionLimits,
    delegate: (any HiredisConnectionDelegate)?
  ) {
    self.init(on: loop, endpoint: endpoint, limits: limits, delegate: delegate) { Double.random(in: 0..<1) }
  }

  /// The same with chance in the caller's hands.
  ///
  /// - Parameter random: returns a number from 0 up to 1; the delay between attempts is multiplied by it.
  package init(
    on loop: EventLoop,
    endpoint: StoreEndpoint,
    limits: ConnectionLimits,
    delegate: (any HiredisConnectionDelegate)?,
    random: @escaping () -> Double
  ) {
    loop.preconditionOnLoop()
    self.loop = loop
    self.endpoint = endpoint
    self.limits = limits
    self.delegate = delegate
    handshake = Handshake(endpoint: endpoint, preparation: [], asksForClientID: false)
    backoff = Backoff(base: limits.backoffBase, cap: limits.backoffCap, random: random)
    queue = CommandQueue(limits: limits)
    failures = FailureDelivery(on: loop)
    commandTimeoutNanoseconds = limits.commandTimeout.map(Self.nanoseconds)
    attemptTimer = LoopTimer(on: loop) { [unowned self] in attemptTimerFired() }
    deadlineTimer = LoopTimer(on: loop) { [unowned self] in deadlineTimerFired() }
  }

  deinit {
    // Nobody may hold on to this object any more, so the delegate does not hear of the commands that are left.
    delegate = nil
    shutDown()
  }

  /// Connects in the next turn, and again whenever the connection is lost, until it is closed. Does nothing when that
  /// has begun already.
  public func connect() {
    loop.preconditionOnLoop()
    guard state == .idle else { return }
    state = .starting
    attemptTimer?.schedule(after: .zero)
    if keepsAlive { keepAlive = KeepAlive(of: self) }
  }

  /// Sends one command; its outcome goes to `receiver` together with `token`.
  ///
  /// The receiver is retained until then. The bytes go to the store as they are. What can't be written at once is
  /// copied, but for a large command that has an owner and no other command before it.
  ///
  /// - Parameters:
  ///   - command: an array of bulk strings, complete. Not one that has more than one reply, or none: SUBSCRIBE and its
  ///     like, MONITOR, CLIENT REPLY.
  ///   - owner: what holds the command, and nothing else: it is retained while the command is not written and was not
  ///     copied.
  ///   - receiver: gets the reply.
  ///   - token: tells the receiver which command it is.
  ///   - isCounted: false for a command that nobody waits for: its outcome is kept from the delegate, and it has no
  ///     deadline, so that the connection is never given up because of it.
  ///   - isUrgent: false for a command that nobody waits for: it may linger a little for others to join it, and leaves
  ///     even when the connection is closed first, as far as the socket takes it.
  public func send(
    _ command: Span<UInt8>,
    of owner: SharedBytes? = nil,
    to receiver: any ReplyReceiver,
    token: Int,
    isCounted: Bool = true,
    isUrgent: Bool = true
  ) {
    loop.preconditionOnLoop()
    let lingers = !isUrgent && command.count < Self.mostLingeringBytes
    if !isUrgent { owesCommands = true }
    if isLingering, !lingers { handOver() }
    let unwritten = unwrittenBytes
    let queued = QueuedCommand(
      receiver: receiver,
      token: token,
      sentAt: loop.now,
      byteCount: command.count,
      refusal: queue.refusal(ofBytes: command.count, unwrittenBytes: unwritten),
      isCounted: isCounted
    )
    switch state {
    case .ready: break
    case .connecting(holdsCommands: true), .starting:
      return queued.refusal == nil ? holdForAttempt(queued, command) : refuse(queued)
    case .connecting(holdsCommands: false), .proving, .idle, .waiting:
      return fail(queued, with: .notConnected(reason: lastFailure))
    case .closed: return fail(queued, with: .closed)
    }
    if queued.refusal != nil { return refuse(queued) }
    sentBytes &+= command.count
    if lingers {
      queue.hold(queued, bytes: command)
      return linger()
    }
    // The rest follows when the context has written what it holds.
    guard !queue.holdsCommands, unwritten < Self.unwrittenHighWater, let unretainedContext,
      unretainedContext._withUnsafeGuaranteedRef({ $0.append(command, of: owner) })
    else { return queue.hold(queued, bytes: command) }
    queue.append(queued)
    if !isDeadlineSet { setDeadline() }
  }

  /// Whether commands reach the store at this moment.
  public var isReady: Bool { state == .ready }

  /// Whether a command that is sent now is sent to the store, or waits for an attempt to connect, instead of failing at
  /// once.
  public var takesCommands: Bool {
    switch state {
    case .ready, .starting, .connecting(holdsCommands: true): true
    case .connecting(holdsCommands: false), .proving, .idle, .waiting, .closed: false
    }
  }

  /// How often the connection became ready: what a server kept for one of them (a WATCH) is gone with the next.
  public internal(set) var epoch = 0

  /// Commands without a reply, those that wait for a connection included.
  public var inFlightCount: Int { queue.count }

  /// Bytes of commands that the operating system has not taken yet.
  @inline(__always)
  public var queuedBytes: Int { queue.heldBytes + unwrittenBytes }

  /// Bytes that the context has got and the operating system has not taken yet.
  var unwrittenBytes: Int { unretainedContext?._withUnsafeGuaranteedRef { $0.unwrittenBytes } ?? 0 }

  /// Whether so many commands of so many bytes together would be taken now: what has to go as a whole asks before.
  public func hasRoom(commands: Int, bytes: Int) -> Bool {
    inFlightCount + commands <= limits.maxQueuedCommands && queuedBytes + bytes <= limits.maxQueuedBytes
  }

  /// Closes the connection for good. What has no reply yet fails with `.closed` at the end of the turn. Does nothing
  /// the second time.
  public func close() {
    loop.preconditionOnLoop()
    shutDown()
  }

  // MARK: Commands and replies

  /// Keeps a command until the attempt to connect has ended.
  private func holdForAttempt(_ command: consuming QueuedCommand, _ bytes: Span<UInt8>) {
    queue.hold(command, bytes: bytes)
    if service != .patient, !isDeadlineSet { setHoldDeadline() }
  }

  /// The service decides how long commands may wait.
  private func serviceChanged() {
    commandTimeoutNanoseconds = commandTimeout.map(Self.nanoseconds)
    isDeadlineSet = false
    switch (service, state) {
    case (.patient, .proving): endProbation()
    case (.patient, .connecting): state = .connecting(holdsCommands: true)
    case (_, .ready): setDeadline()
    case (.bestEffort, .starting), (.bestEffort, .connecting(holdsCommands: true)):
      if queue.holdsCommands { setHoldDeadline() }
    default: break
    }
    if service == .patient { probation.pardon() }
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration / .nanoseconds(1))) }

  /// A refused command fails in its turn.
  private func refuse(_ command: consuming QueuedCommand) {
    if let refusal = command.refusal, queue.isEmpty {
      fail(command, with: refusal.failure(limits))
    } else {
      queue.append(command)
    }
  }

  func contextDidReceive(_ reply: UnsafePointer<redisReply>) {
    let reply = Reply(borrowing: reply)
    guard state == .ready else {
      return state == .proving(awaitsReply: true) ? probeAnswered() : receiveHandshake(reply)
    }
    if isPushing {
      pushReceiver?.pushConnection(self, didReceive: reply)
      return
    }
    guard let command = queue.popAnswered() else {
      context?.abort(.protocolViolated("the store sent something that nobody had asked for"))
      return
    }
    replyCount &+= 1
    if command.isCounted {
      if command.sentAt != completed.sentAt { reportCompleted() }
      completed.sentAt = command.sentAt
      completed.count += 1
      if reply.kind == .error { completed.errors += 1 }
    }
    command.receiver.receive(reply, token: command.token)
    while let refused = queue.popRefused(), let refusal = refused.refusal {
      if refused.isCounted { delegate?.connection(self, didFail: refusal.failure(limits)) }
      refused.receiver.receive(failure: refusal.failure(limits), token: refused.token)
    }
  }

  /// All replies that were there have been received.
  func contextDidRead() {
    reportCompleted()
  }

  private func reportCompleted() {
    guard completed.count > 0 else { return }
    let (count, errors, sentAt) = completed
    completed.count = 0
    completed.errors = 0
    delegate?.connection(self, didComplete: count, errors: errors, latencyNanoseconds: loop.now &- sentAt)
  }

  /// Some bytes are with the operating system, so there is room for more.
  func contextDidWrite() {
    if queue.holdsCommands { handOver() }
    if owesCommands, queuedBytes == 0 { owesCommands = false }
    tellDrainWaiters()
  }

  /// Gives the context held back commands, as many as it should have.
  func handOver() {
    isLingering = false
    guard state == .ready, let context else { return }
    queue.handOver(now: loop.now) { context.unwrittenBytes < Self.unwrittenHighWater && context.append($0) }
    while let refused = queue.popRefused(), let refusal = refused.refusal {
      fail(refused, with: refusal.failure(limits))
    }
    if !isDeadlineSet { setDeadline() }
  }

  private func shutDown() {
    guard state != .closed else { return }
    if owesCommands {
      handOver()
      context?.writeNow()
    }
    state = .closed
    attemptTimer?.close()
    deadlineTimer?.close()
    lingerTimer?.close()
    keepAlive = nil
    lookup = nil
    context?.detach()
    context = nil
    queue.removeAll { command, _ in fail(command, with: .closed) }
    tellDrainWaiters()
  }
}
