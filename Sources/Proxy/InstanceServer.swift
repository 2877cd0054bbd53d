internal import PrometheusExposition
package import EventLoop
internal import Hiredis
package import MultiStore
package import RESP

/// One instance at work: its event loop on a thread of its own, its listeners, its clients, and the MultiStore between
/// them and the stores. Confined to that loop; put together before the loop has a thread.
package final class InstanceServer {
  /// What clients may use up.
  package struct Limits: Sendable {
    var maxClients: Int
    var idleTimeout: Duration?
    var parser: ParserLimits
    /// Commands of one client that may be on their way to a store; more wait in its input.
    var maxInFlight: Int
    /// Replies that one client has not taken, in bytes.
    var outputBufferLimit: Int
    /// Input of one client that is not executed yet, in bytes. Redis' `client-query-buffer-limit` is 1 GiB.
    var inputBufferLimit = 1 << 30
    /// What a client may send that has not logged in yet: as little as a Redis server takes.
    let unauthenticatedParser = ParserLimits(maxBulkBytes: 16 << 10, maxArguments: 10)
    /// Commands between MULTI and EXEC, in bytes.
    var transactionBytesLimit = 1 << 30

    package init(
      maxClients: Int,
      idleTimeout: Duration?,
      parser: ParserLimits,
      maxInFlight: Int,
      outputBufferLimit: Int
    ) {
      self.maxClients = maxClients
      self.idleTimeout = idleTimeout
      self.parser = parser
      self.maxInFlight = maxInFlight
      self.outputBufferLimit = outputBufferLimit
    }
  }

  /// The most bytes of large commands that are read in one turn, besides what all streams read: others wait for them.
  private static let mostDirectReadBytes = 4 << 20
  /// How often idle clients are looked for.
  private static let sweepInterval = Duration.seconds(1)
  /// A client that said nothing for so long gives its buffers back.
  private static let trimAfterNanoseconds: UInt64 = 1_000_000_000
  /// How long a client that does nothing keeps a connection to itself. Others may be refused theirs meanwhile.
  private static let releaseAfterNanoseconds: UInt64 = 30_000_000_000

  let loop: EventLoop
  package let multiStore: MultiStore
  let limits: Limits
  let credentials: Credentials?
  let metrics: ClientMetrics
  /// Counts what clients send, whichever way it then goes.
  package let inventory: InventoryCounts
  /// Commands that need a connection which hiredis does not read.
  var deepReplies = DeepReplies()
  /// Holds back logins after wrong passwords.
  private(set) lazy var logins = LoginGate(on: loop, metrics: metrics) { [unowned self] in client($0) }
  /// Memory for large commands.
  let spareBuffers = SpareBuffers()
  /// Bytes of large commands that were read in the turn that began at `turn`, besides what all streams read.
  var directReads = (turn: UInt64(0), bytes: 0)
  /// Large commands that both stores execute.
  var largeWrites = LargeWrites()
  /// The memory that the clients of all instances use.
  let memory: MemoryBudget
  var governor = MemoryGovernor()
  private(set) lazy var governorTimer = LoopTimer(on: loop) { [unowned self] in govern() }
  var isGovernorScheduled = false
  /// The loop's clock when the governor looked last for clients that make no progress.
  var governedAt: UInt64 = 0
  /// The bytes waiting for the stores' connections when they were reported last.
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
    memory: MemoryBudget
  ) {
    self.loop = loop
    self.multiStore = multiStore
    self.limits = limits
    self.credentials = credentials
    self.metrics = metrics
    self.memory = memory
    inventory = multiStore.inventory
  }

  /// The server and the version that HELLO tells: the default store's, if they are known.
  var storeServer: (name: String, version: String) {
    let store = multiStore.defaultStore
    return (store.flavour.rawValue, store.serverVersion ?? "7.0.0")
  }

  /// Opens the stores' connections and the listeners.
  ///
  /// - Returns: the addresses that clients can use, with real port numbers.
  package func start(listeningOn addresses: [SocketAddress]) throws(ListenError) -> [SocketAddress] {
    multiStore.start()
    for address in addresses {
      listeners.append(try Listener(on: loop, address: address) { [unowned self] in accept($0, at: address) })
    }
    let timer = LoopTimer(on: loop) { [unowned self] in sweep() }
    timer.schedule(after: Self.sweepInterval, repeating: Self.sweepInterval)
    sweepTimer = timer
    return listeners.map(\.boundAddress)
  }

  /// Accepts nobody any more, executes what clients have sent, and calls `then` when the last of them is gone and the
  /// other store has its copies.
  package func drain(then: @escaping () -> Void) {
    listeners.forEach { $0.close() }
    listeners = []
    whenDrained = then
    for session in sessions.values { session.drain() }
    finishIfDrained()
  }

  /// Closes everything, whatever is still in flight.
  package func close() {
    listeners.forEach { $0.close() }
    listeners = []
    sweepTimer?.close()
    sweepTimer = nil
    governorTimer.close()
    logins.close()
    for session in sessions.values { session.cutOff(.shutdown) }
    multiStore.close()
  }

  func didClose(_ session: Session) {
    guard sessions.removeValue(forKey: session.id) != nil else { return }
    metrics.connected.set(Double(sessions.count))
    finishIfDrained()
  }

  /// How many more bytes of large commands may be read in this turn.
  func directReadRoom() -> Int {
    if directReads.turn != loop.now { directReads = (loop.now, 0) }
    return max(0, Self.mostDirectReadBytes - directReads.bytes)
  }

  /// The client with this number, if it is connected.
  func client(_ id: Int) -> Session? { sessions[id] }

  /// The clients that a filter lets through, in the order in which they came.
  func clients(matching filter: ClientFilter) -> [Session] {
    sessions.values.filter(filter.matches).sorted { $0.id < $1.id }
  }

  /// What CLIENT LIST says of them.
  func clientList(_ filter: ClientFilter) -> String {
    clients(matching: filter).map { $0.clientLine + "\n" }.joined()
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

  /// The words that a Redis server has for it, so that clients recognise them.
  private static let maxClientsError = Array("-ERR max number of clients reached\r\n".utf8)

  private func sweep() {
    let now = loop.now
    let timeout = limits.idleTimeout.map(Self.nanoseconds)
    spareBuffers.trim()
    trimMemory()
    for session in sessions.values {
      session.notePace()
      session.expireOwnConnection()
      let idle = now - min(now, session.pace.lastActive)
      if let timeout, idle > timeout, session.isQuiet, session.subscription == nil {
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

/// A reference may go to any thread, so that work can be handed to the instance's loop. What guards the members is that
/// loop: they are touched on its thread alone.
extension InstanceServer: @unchecked Sendable {}
