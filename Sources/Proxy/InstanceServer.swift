internal import PrometheusExposition
package import EventLoop
internal import Hiredis
package import Logging
package import MultiStore
package import RESP
package import TLS

/// A running instance: its event loop on a thread of its own, its listeners, its clients, and the MultiStore between
/// them and the stores. Confined to that loop; set up before the loop has a thread.
package final class InstanceServer {
  /// The limits on the resources that clients use.
  package struct Limits: Sendable {
    var maxClients: Int
    var idleTimeout: Duration?
    /// The time that a client has for the handshake of TLS.
    var handshakeTimeout: Duration
    var parser: ParserLimits
    /// The most commands of one client that may be in flight to a store; more wait in its input.
    var maxInFlight: Int
    /// The most bytes of replies that one client may leave untaken.
    var outputBufferLimit: Int
    /// The most bytes of one client's input that are not executed yet. Redis' `client-query-buffer-limit` is 1 GiB.
    var inputBufferLimit = 1 << 30
    /// The most bytes of commands between MULTI and EXEC.
    var transactionBytesLimit = 1 << 30

    package init(
      maxClients: Int,
      idleTimeout: Duration?,
      handshakeTimeout: Duration,
      parser: ParserLimits,
      maxInFlight: Int,
      outputBufferLimit: Int
    ) {
      self.maxClients = maxClients
      self.idleTimeout = idleTimeout
      self.handshakeTimeout = handshakeTimeout
      self.parser = parser
      self.maxInFlight = maxInFlight
      self.outputBufferLimit = outputBufferLimit
    }
  }

  /// An address that clients connect to.
  package struct Entrance: Sendable {
    let address: SocketAddress
    /// Nil for connections without TLS.
    let tls: TLSServer?

    package init(_ address: SocketAddress, tls: TLSServer?) {
      self.address = address
      self.tls = tls
    }
  }

  /// The most bytes of large commands that are read in one turn, in addition to the streams' ordinary reads: other
  /// clients wait meanwhile.
  private static let mostDirectReadBytes = 4 << 20
  /// The interval of the search for idle clients.
  private static let sweepInterval = Duration.seconds(1)
  /// The idle time after which a client's buffers are released.
  private static let trimAfterNanoseconds: UInt64 = 1_000_000_000
  /// The idle time after which a client's own connection is closed, since others may be refused one meanwhile.
  private static let releaseAfterNanoseconds: UInt64 = 30_000_000_000

  let loop: EventLoop
  package let multiStore: MultiStore
  let limits: Limits
  let credentials: Credentials?
  let metrics: ClientMetrics
  /// The counts of the commands that clients send, whichever way they are dispatched.
  package let inventory: InventoryCounts
  /// Commands that need a connection which hiredis does not read.
  var deepReplies = DeepReplies()
  private let logger: Logger
  private var refusalLog = RefusalLog()
  private var noticeLog = RefusalLog()
  /// The gate that delays logins after wrong passwords.
  private(set) lazy var logins = LoginGate(on: loop, metrics: metrics) { [unowned self] in client($0) }
  /// Memory for large commands.
  let spareBuffers = SpareBuffers()
  /// The bytes of large commands read in the turn that began at `turn`, in addition to the streams' ordinary reads.
  var directReads = (turn: UInt64(0), bytes: 0)
  /// Large commands that both stores execute.
  var largeWrites = LargeWrites()
  /// The memory that the clients of all instances use.
  let memory: MemoryBudget
  var governor = MemoryGovernor()
  private(set) lazy var governorTimer = LoopTimer(on: loop) { [unowned self] in govern() }
  var isGovernorScheduled = false
  /// The pause of the clients, if there is one.
  var pause = ClientPause() { didSet { updateWatch() } }
  /// The clients that wait for its end.
  var pausedClients = WaitingLine()
  var pauseTimer: LoopTimer?
  /// The clients that are shown the commands of all, in the order in which they began.
  var monitors: [Session] = [] { didSet { updateWatch() } }
  /// The line that is shown to them, written once for all.
  var monitorLine = ByteBuffer()
  /// Whether commands may be held by a pause, or are shown to clients that monitor. One test, so that a command costs
  /// no more while there is neither.
  private(set) var watchesCommands = false
  /// The loop's time of the governor's last check for clients that make no progress.
  var governedAt: UInt64 = 0
  /// The bytes waiting for the stores' connections, as reported last.
  var queuedBytesNoted = 0
  private var listeners: [Listener] = []
  private var sessions: [Int: Session] = [:]
  private var nextID = 1
  private var sweepTimer: LoopTimer?
  /// Called once when the last client is gone after ``drain(then:)``, and its copies are done.
  private var whenDrained: (() -> Void)?

  package init(
    on loop: EventLoop,
    multiStore: MultiStore,
    limits: Limits,
    credentials: Credentials?,
    metrics: ClientMetrics,
    memory: MemoryBudget,
    logger: Logger
  ) {
    self.logger = logger
    self.loop = loop
    self.multiStore = multiStore
    self.limits = limits
    self.credentials = credentials
    self.metrics = metrics
    self.memory = memory
    inventory = multiStore.inventory
  }

  /// The server's name, its version and its modules in the reply to HELLO: the default store's, if known.
  var storeServer: (name: String, version: String, modules: [UInt8]?) {
    let store = multiStore.defaultStore
    return (store.server.flavour.rawValue, store.server.version ?? "7.0.0", store.server.modules)
  }

  /// Opens the stores' connections and the listeners.
  ///
  /// - Returns: the addresses that clients can use, with real port numbers.
  package func start(listeningOn entrances: [Entrance]) throws(ListenError) -> [SocketAddress] {
    multiStore.start()
    for entrance in entrances {
      let address = entrance.address
      let tls = entrance.tls.map { ListenerTLS($0, refusalOfPlaintext: Self.plaintextError) }
      listeners.append(try Listener(on: loop, address: address, tls: tls) { [unowned self] in accept($0, at: address) })
    }
    let timer = LoopTimer(on: loop) { [unowned self] in sweep() }
    timer.schedule(after: Self.sweepInterval, repeating: Self.sweepInterval)
    sweepTimer = timer
    return listeners.map(\.boundAddress)
  }

  /// Stops accepting clients, executes the commands that they have sent, and calls `then` when the last client is gone
  /// and the other store has its copies.
  package func drain(then: @escaping () -> Void) {
    listeners.forEach { $0.close() }
    listeners = []
    whenDrained = then
    for session in sessions.values { session.drain() }
    finishIfDrained()
  }

  /// Closes everything, including connections with commands in flight.
  package func close() {
    listeners.forEach { $0.close() }
    listeners = []
    sweepTimer?.close()
    sweepTimer = nil
    governorTimer.close()
    pauseTimer?.close()
    pauseTimer = nil
    logins.close()
    for session in sessions.values { session.cutOff(.shutdown) }
    multiStore.close()
  }

  func didClose(_ session: Session) {
    guard sessions.removeValue(forKey: session.id) != nil else { return }
    metrics.connected.set(Double(sessions.count))
    finishIfDrained()
  }

  /// Returns the number of bytes of large commands that may still be read in this turn.
  func directReadRoom() -> Int {
    if directReads.turn != loop.now { directReads = (loop.now, 0) }
    return max(0, Self.mostDirectReadBytes - directReads.bytes)
  }

  /// The client with this number, if it is connected.
  func client(_ id: Int) -> Session? { sessions[id] }

  /// Returns the clients that match a filter, in the order in which they connected.
  func clients(matching filter: ClientFilter) -> [Session] {
    sessions.values.filter(filter.matches).sorted { $0.id < $1.id }
  }

  private func accept(_ stream: Stream, at address: SocketAddress) {
    metrics.accepted.increment()
    guard sessions.count < limits.maxClients, whenDrained == nil else {
      metrics.closed(.maxClients)
      stream.write(Self.maxClientsError.span)
      return stream.closeAfterWriting()
    }
    let session = Session(server: self, stream: stream, localAddress: address.description, id: nextID)
    sessions[nextID] = session
    nextID += 1
    metrics.connected.set(Double(sessions.count))
  }

  /// The error of a Redis server in this case, so that clients recognise it.
  private static let maxClientsError = Array("-ERR max number of clients reached\r\n".utf8)
  private static let plaintextError = Array("-ERR This port speaks TLS: connect with it (rediss://)\r\n".utf8)

  /// Logs that a client's connection was refused, unless many are.
  ///
  /// - Parameter reason: one of a few words.
  func noteRefusal(_ reason: String, _ message: String, of peer: String) {
    guard let suppressed = refusalLog.suppressed(reason, at: loop.now) else { return }
    logger.warning(
      "Client refused",
      metadata: [
        "instance_name": "\(multiStore.instance.configuration.name)", "client": "\(peer)", "reason": "\(reason)",
        "error": "\(message)", "suppressed": .stringConvertible(suppressed),
      ]
    )
  }

  /// Logs that a client does something that concerns the others, unless that was logged in the last half minute.
  ///
  /// - Parameter kind: one of a few words.
  func note(_ kind: String, _ message: Logger.Message, by peer: String, _ metadata: Logger.Metadata = [:]) {
    guard let suppressed = noticeLog.suppressed(kind, at: loop.now) else { return }
    let common: Logger.Metadata = [
      "instance_name": "\(multiStore.instance.configuration.name)", "client": "\(peer)",
      "suppressed": .stringConvertible(suppressed),
    ]
    logger.notice(message, metadata: common.merging(metadata) { $1 })
  }

  private func updateWatch() { watchesCommands = pause.mode != nil || !monitors.isEmpty }

  private func sweep() {
    let now = loop.now
    let timeout = limits.idleTimeout.map(Self.nanoseconds)
    let handshakeTimeout = Self.nanoseconds(limits.handshakeTimeout)
    spareBuffers.trim()
    trimMemory()
    for session in sessions.values {
      session.notePace()
      session.expireOwnConnections()
      let idle = now - min(now, session.pace.lastActive)
      if session.stream.isShakingHands {
        if now - session.connectedAt > handshakeTimeout { session.cutOff(.handshakeTimeout) }
      } else if let timeout, idle > timeout, session.isQuiet, !session.listens {
        session.cutOff(.idleTimeout)
      } else if idle > Self.trimAfterNanoseconds {
        session.trim()
        if idle > Self.releaseAfterNanoseconds { session.releaseUnusedConnection() }
      }
    }
  }

  private func finishIfDrained() {
    guard sessions.isEmpty, let whenDrained else { return }
    self.whenDrained = nil
    multiStore.whenSettled(whenDrained)
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000)
  }
}

/// A reference may go to any thread, so that work can be handed to the instance's loop. That loop guards the members:
/// they are accessed on its thread alone.
extension InstanceServer: @unchecked Sendable {}
