public import EventLoop
internal import RESP

/// A connection to one store that reconnects by itself, on the loop's thread.
///
/// Commands are sent and answered in the order of the calls. Whether a command that is sent during an attempt to
/// connect is queued depends on ``service``; one that is sent between two attempts fails at once, so that no sender
/// waits for a store that is down. No command is ever sent twice: the sender decides whether to retry.
///
/// ``ConnectionStateMachine`` decides, ``CommandQueue`` keeps the commands without a reply, and `HiredisContext` reads
/// and writes; this type connects them.
///
/// The delegate is not retained and has to outlive the connection. Dropping the connection closes it.
public final class HiredisConnection {
  /// The bytes waiting to be written from which on commands are held back: the deadline of a command begins when the
  /// context has got it, however much was before it.
  static let unwrittenHighWater = 1024 * 1024
  /// The bytes from which on commands are sent one by one even where they lie together: while the rest is gathered, the
  /// store executes those that were written already.
  static let mostRunBytes = 16 * 1024

  /// The store's place, login and database.
  public let endpoint: StoreEndpoint
  /// The timeouts and bounds of the connection.
  public let limits: ConnectionLimits

  /// The options of the handshake of every new connection. Set before the connection is made.
  public var handshake = HandshakeOptions()

  /// The most bytes of a reply, beyond which the connection ends; nil for no limit. Set before the connection is made.
  public var replyLimit: Int?
  /// The same for the replies of a handshake, which take a few KiB and are interpreted at once.
  static let handshakeReplyLimit = 256 << 10

  /// The command that a store on ``Probation`` has to answer, an array of bulk strings; any reply will do.
  public var probe = CommandWriter.command("PING")

  /// Whether the connection is kept from being idle for long; see ``KeepAlive``. Set before `connect`.
  public var keepsAlive = false

  /// Finds the server of an endpoint without a fixed address, and is retained. Set before `connect`.
  public var locator: (any ServerLocator)?

  /// The delegate, notified of the connection's events; not retained. It has to outlive the connection, or to set this
  /// to nil before it is released.
  public unowned var delegate: (any HiredisConnectionDelegate)?

  /// The receiver of all that the store sends after the handshake, in place of the receivers of commands: for
  /// connections on which a store sends messages without a request. Set before the connection is ready, and not
  /// retained, like ``delegate``. Such a connection takes commands through ``push(_:)`` alone.
  public unowned var pushReceiver: (any PushReceiver)? { didSet { isPushing = pushReceiver != nil } }
  private(set) var isPushing = false
  /// Whether ``pushReceiver`` gets the store's output as bytes, without hiredis' reader: a reply may be nested more
  /// deeply than the reader permits. Set before the connection is ready.
  public var pushesBytes = false

  let loop: EventLoop
  var machine: ConnectionStateMachine<HostLookup>
  var context: HiredisContext? { didSet { unretainedContext = context.map(Unmanaged.passUnretained) } }
  /// The context without its reference count, for sending commands: it can't end while a command is being sent.
  private(set) var unretainedContext: Unmanaged<HiredisContext>?
  /// Receivers and the delegate are called only after a command was taken out, so that they may send from there.
  var queue: CommandQueue
  let failures: FailureDelivery
  var drains = DrainQueue()
  var lingering = Lingering()
  var deadline: CommandDeadline
  var answered = AnsweredCommands()
  /// The number of replies and messages so far, over all connections that were made.
  public internal(set) var replyCount: UInt64 = 0
  /// Whether a command that counts was answered since the connection became ready last.
  var hasAnswered = false

  /// The timer that starts attempts and probes, and ends those that take too long.
  var attemptTimer: LoopTimer?
  /// The timer of ``deadline``.
  var deadlineTimer: LoopTimer?
  /// The timer that runs while commands linger; made for the first of them, which many connections never get.
  var lingerTimer: LoopTimer?
  var login = LoginProgress()
  /// Keeps the connection from being idle; nil unless ``keepsAlive`` is set.
  private(set) var keepAlive: KeepAlive?

  /// Makes a connection that waits for `connect`.
  public convenience init(
    on loop: EventLoop,
    endpoint: StoreEndpoint,
    limits: ConnectionLimits,
    delegate: (any HiredisConnectionDelegate)?
  ) {
    self.init(on: loop, endpoint: endpoint, limits: limits, delegate: delegate) { Double.random(in: 0..<1) }
  }

  /// Makes a connection that waits for `connect`, with the caller's random numbers.
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
    machine = ConnectionStateMachine(endpoint: endpoint, limits: limits, random: random)
    queue = CommandQueue(limits: limits)
    failures = FailureDelivery(on: loop)
    deadline = CommandDeadline(timeout: limits.commandTimeout)
    attemptTimer = LoopTimer(on: loop) { [unowned self] in
      perform(machine.attemptTimerFired(at: self.loop.now))
    }
    deadlineTimer = LoopTimer(on: loop) { [unowned self] in deadlineTimerFired() }
  }

  deinit {
    // Nothing refers to this object any more, so the delegate isn't notified of the commands that are left.
    delegate = nil
    shutDown()
  }

  /// Connects in the next turn, and again whenever the connection is lost, until it is closed. Does nothing if that has
  /// begun already.
  public func connect() {
    loop.preconditionOnLoop()
    guard machine.phase == .idle else { return }
    perform(machine.connect())
    if keepsAlive { keepAlive = KeepAlive(of: self) }
  }

  /// Begins the next attempt now, if the connection waits for it: the store was reached over another connection.
  public func retryNow() {
    loop.preconditionOnLoop()
    perform(machine.retryNow(at: loop.now))
  }

  /// The time that commands may wait for the store.
  public var service: Service {
    get { machine.service }
    set {
      guard newValue != machine.service else { return }
      deadline.timeout = limits.commandTimeout(for: newValue)
      perform(machine.serviceDidChange(to: newValue))
      restartDeadline()
    }
  }

  /// The number that the server gave the connection, as CLIENT ID says; nil while it is not known.
  public var clientID: Int? { machine.clientID }

  /// The number of times that the connection became ready: state that a server kept for one of them (a WATCH) is gone
  /// with the next.
  public var epoch: Int { machine.epoch }

  /// The address of the server that connections are made to; nil before the locator has found one.
  public var server: SocketAddress? { machine.server }

  /// Whether commands reach the store at this moment.
  public var isReady: Bool { machine.isReady }

  /// Whether a command that is sent now is sent to the store, or waits for an attempt to connect, instead of failing at
  /// once.
  public var takesCommands: Bool { machine.takesCommands }

  /// The time that the oldest command that counts has waited for its reply, or for a connection; nil if none does.
  public var longestWait: Duration? {
    queue.oldestCounted.map { .nanoseconds(Int64(clamping: loop.now &- $0.sentAt)) }
  }

  /// The number of commands without a reply, including those that wait for a connection.
  public var inFlightCount: Int { queue.count }

  /// The bytes of commands that the operating system has not taken yet.
  @inline(__always)
  public var queuedBytes: Int { queue.heldBytes + unwrittenBytes }

  /// The bytes that the context has got and the operating system has not taken yet.
  var unwrittenBytes: Int { unretainedContext?._withUnsafeGuaranteedRef { $0.unwrittenBytes } ?? 0 }

  /// Whether the queue has room for a group of commands with `bytes` bytes together. Check before sending a group that
  /// must not be split.
  public func hasRoom(commands: Int, bytes: Int) -> Bool {
    inFlightCount + commands <= limits.maxQueuedCommands && queuedBytes + bytes <= limits.maxQueuedBytes
  }

  /// Closes the connection for good. Commands without a reply fail with `.closed` at the end of the turn. Does nothing
  /// the second time.
  public func close() {
    loop.preconditionOnLoop()
    shutDown()
  }

  private func shutDown() {
    guard machine.phase != .closed else { return }
    if lingering.mayHaveUnwritten {
      handOver()
      context?.writeNow()
    }
    machine.close()
    endLoginWait()
    locator?.leave(self)
    attemptTimer?.close()
    deadlineTimer?.close()
    lingerTimer?.close()
    keepAlive = nil
    context?.detach()
    context = nil
    queue.removeAll { command, _ in fail(command, with: .closed) }
    notifyDrainWaiters()
  }
}
