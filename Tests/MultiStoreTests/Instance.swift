internal import CoreMetrics
internal import EventLoop
internal import Hiredis
internal import InMemoryLogging
internal import Logging
internal import MetricsTestKit
internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Gets the replies of one batch.
final class Sink: ReplyOutput, BlockingSink, RoutingWaiter {
  private(set) var isDone = false
  /// What to do when a change of the flags that had to wait is in force.
  var whenSettled: () -> Void = {}

  func executionDidFinish() {
    #expect(!isDone, "a batch is answered once")
    isDone = true
  }

  func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    #expect(!isDone, "a failure comes before the end")
  }

  func passOn(_ replies: Span<UInt8>) {
    output.append(replies)
  }

  func executionWasCalledOff() {}
  func executionHasNoReply() {}

  func connectionOfItsOwn(to role: StoreRole) -> HiredisConnection? { nil }

  func routingDidSettle() {
    whenSettled()
    whenSettled = {}
  }

  /// What a client reads, with `|` for each end of a line.
  var text: String { shown(output.bytes) }
}

/// An instance between two real servers, on a loop that the test's own thread runs.
final class Instance {
  let primaryServer: RedisServer
  let secondaryServer: RedisServer
  /// Straight to the servers, to see and to prepare what is in them.
  let primary: RESPClient
  let secondary: RESPClient
  let multiStore: MultiStore
  /// The first database.
  var database: Database { multiStore.database }
  let metrics = TestMetrics()
  private let log = InMemoryLogHandler()
  private let loop: TestLoop

  /// - Parameters:
  ///   - dual: the dual write flag.
  ///   - primaryAsDefault: the default flag.
  ///   - primaryBinary: which server the primary is.
  ///   - primarySettings: lines of its configuration.
  ///   - secondaryBinary: which server the secondary is.
  ///   - commandTimeout: how long a command may take.
  ///   - memory: what the last process left.
  ///   - lines: commands that both servers execute before.
  ///   - configure: what is not as usual.
  init(
    dual: Bool = true,
    primaryAsDefault: Bool = false,
    primaryBinary: RedisServer.Binary = .redis,
    primarySettings: [String] = [],
    secondaryBinary: RedisServer.Binary = .redis,
    commandTimeout: Duration = .seconds(20),
    memory: StalenessMemory? = nil,
    preparedBy lines: [String] = [],
    _ configure: (inout MultiStoreConfiguration) -> Void = { _ in }
  ) throws {
    let loop = try TestLoop()
    self.loop = loop
    let (primaryServer, secondaryServer) = (
      try RedisServer(primaryBinary, settings: primarySettings), try RedisServer(secondaryBinary)
    )
    self.primaryServer = primaryServer
    self.secondaryServer = secondaryServer
    primary = try primaryServer.client()
    secondary = try secondaryServer.client()
    for line in lines {
      for client in [primary, secondary] { _ = try client.command(words(line)) }
    }
    func store(_ server: RedisServer) -> MultiStoreConfiguration.Store {
      MultiStoreConfiguration.Store(
        endpoint: StoreEndpoint(address: .unix(path: server.socketPath)),
        limits: ConnectionLimits(
          commandTimeout: commandTimeout,
          backoffBase: .milliseconds(2),
          backoffCap: .milliseconds(20)
        )
      )
    }
    var configuration = MultiStoreConfiguration(
      name: "sessions",
      primary: store(primaryServer),
      secondary: store(secondaryServer)
    )
    configuration.eventsPerSecond = 1000
    // A busy machine may stand still for longer than the second that is the default.
    configuration.otherStoreTimeout = commandTimeout
    // Tests count what is in flight; those about sampling ask for it.
    configuration.keyspaceSampling = false
    // Those about healing ask for it too.
    configuration.keysPerSecond = 0
    configuration.settledChecksPerSecond = 0
    configure(&configuration)
    let state = FlagState(dualWrite: dual, primaryAsDefault: primaryAsDefault)
    let log = log
    multiStore = MultiStore(
      on: loop.loop,
      configuration: configuration,
      flags: FeatureFlags(instanceName: "sessions", state: state),
      logger: Logger(label: "test") { _ in log },
      metricsFactory: metrics,
      memory: memory
    )
    // A busy machine may stand still for longer than the second that a flip waits by default.
    multiStore.instance.routingState.holdLimit = .seconds(20)
    multiStore.start()
    try run { [database = multiStore.database] in
      database.secondary.isReady && database.primary?.isReady != false
    }
    // The first guarded write would find the script missing and copy a whole key, which not every test is about.
    multiStore.database.secondary.loadPresenceGuard()
    multiStore.database.primary?.loadPresenceGuard()
    try run { [database = multiStore.database] in
      database.secondary.ordinary.inFlightCount == 0 && database.primary?.ordinary.inFlightCount ?? 0 == 0
    }
  }

  deinit {
    multiStore.close()
    loop.loop.close()
  }

  func run(until condition: @escaping () -> Bool) throws {
    try loop.run(until: condition)
  }

  /// Begins to execute lines of words; nothing is sent before the loop runs.
  @discardableResult
  func begin(
    _ lines: String...,
    as kind: BatchKind? = nil,
    over connection: HiredisConnection? = nil,
    in database: Database? = nil
  ) -> Sink {
    begin(lines, as: kind, over: connection, in: database ?? self.database)
  }

  /// Executes lines of words, and waits for the replies and for the copies.
  @discardableResult
  func execute(_ lines: String..., as kind: BatchKind? = nil, over connection: HiredisConnection? = nil) throws
    -> String
  {
    let sink = begin(lines, as: kind, over: connection, in: database)
    try run { [database = multiStore.database] in
      sink.isDone && database.secondary.ordinary.inFlightCount == 0
        && database.primary?.ordinary.inFlightCount ?? 0 == 0
    }
    return sink.text
  }

  /// Begins to execute a command that may block over `connection`, one to the default store.
  func beginBlocking(_ line: String, over connection: HiredisConnection) throws -> Sink {
    let sink = Sink()
    let routing = try #require(database.instance.routing(orNotify: sink))
    database.executeBlocking(batch([line]), routing: routing, over: connection, for: sink)
    return sink
  }

  /// A connection of a client's own to the default store, through a relay.
  func relayedConnection() throws -> (FaultRelay, HiredisConnection) {
    let server = database.defaultStore.role == .primary ? primaryServer : secondaryServer
    let relay = try FaultRelay(to: server.address)
    let connection = HiredisConnection(
      on: database.loop,
      endpoint: StoreEndpoint(address: .unix(path: String(relay.url.trimmingPrefix("unix://")))),
      limits: ConnectionLimits(),
      delegate: nil
    )
    connection.handshake.asksForClientID = true
    connection.connect()
    try run { connection.isReady }
    return (relay, connection)
  }

  /// Takes a store away and waits until that was noticed.
  func takeDown(_ role: StoreRole) throws {
    (role == .primary ? primaryServer : secondaryServer).kill()
    try run { [database] in !database.store(role).isReady }
  }

  /// Straight to one of the servers.
  func client(_ role: StoreRole) -> RESPClient { role == .primary ? primary : secondary }

  /// Executes a line on both servers, as setting up.
  func both(_ line: String) throws {
    for client in [primary, secondary] {
      let reply = try client.command(words(line))
      #expect(reply.errorText == nil, "\(line)")
    }
  }

  /// What a counter says; nil if there is none with these labels.
  func count(_ metric: MultiStoreMetric, _ labels: [String: String] = [:]) -> Int64? {
    let found = metrics.counters(label: metric.name).filter { counter in
      let dimensions = Dictionary(counter.dimensions) { $1 }
      return labels.allSatisfy { dimensions[$0] == $1 }
    }
    return found.isEmpty ? nil : found.reduce(0) { $0 + $1.totalValue }
  }

  /// The events of one exception class, as their fields.
  func events(_ exceptionClass: String) -> [[String: String]] {
    log.entries.compactMap { entry in
      var fields = entry.metadata.mapValues { "\($0)" }
      fields["message"] = "\(entry.message)"
      return fields["exception.class"] == exceptionClass ? fields : nil
    }
  }

  /// The messages of the log that are no events.
  var messages: [String] {
    log.entries.filter { $0.metadata["exception.class"] == nil }.map { "\($0.message)" }
  }

  func begin(
    _ lines: [String],
    as kind: BatchKind?,
    over connection: HiredisConnection? = nil,
    in database: Database
  ) -> Sink {
    let sink = Sink()
    let kind = kind ?? (lines.count == 1 ? .single : .pipelined)
    start(batch(lines), as: kind, over: connection, in: database, for: sink)
    return sink
  }

  private func start(
    _ batch: CommandBatch,
    as kind: BatchKind,
    over connection: HiredisConnection?,
    in database: Database,
    for sink: Sink
  ) {
    if let routing = database.instance.routing(orNotify: sink) {
      database.execute(batch, as: kind, routing: routing, over: connection, for: sink)
    } else {
      sink.whenSettled = { [unowned self] in start(batch, as: kind, over: connection, in: database, for: sink) }
    }
  }

  private func batch(_ lines: [String]) -> CommandBatch {
    let batch = database.makeBatch()
    for line in lines { batch.append(arguments: words(line).map { Array($0.utf8) }) }
    return batch
  }
}

/// A loop that runs on the test's thread for as long as a condition asks for.
final class TestLoop {
  /// The longest time to wait for a condition. It only decides how soon a hang is reported. A job lowers its rate while
  /// answers are late, as they are on a busy machine, and may then take minutes.
  private static let limit = Duration.seconds(300)

  let loop: EventLoop

  init() throws {
    loop = try EventLoop()
  }

  /// Runs the loop until `condition` holds.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  func run(until condition: @escaping () -> Bool) throws {
    if condition() { return }
    let deadline = ContinuousClock.now + Self.limit
    var isLate = false
    let timer = LoopTimer(on: loop) { [loop] in
      // The last look comes after the deadline, however long this thread had to wait for its turn.
      let isOver = ContinuousClock.now > deadline
      let isMet = condition()
      isLate = isOver && !isMet
      if isMet || isLate { loop.stop() }
    }
    timer.schedule(after: .zero, repeating: .milliseconds(1))
    loop.run()
    timer.close()
    if isLate { throw TestSupportError(.timedOut, "the condition was not met within \(Self.limit)") }
  }
}

/// Words that spaces separate; `''` is the empty one.
func words(_ line: String) -> [String] {
  line.split(separator: " ").map { $0 == "''" ? "" : String($0) }
}

/// The bytes of a command as it is on the wire.
func encoded(_ line: String) -> [UInt8] { RESPClient.encode(words(line)) }

/// Bytes as text with `|` for each end of a line.
func shown(_ bytes: [UInt8]) -> String {
  String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "|")
}

/// The bytes of text with `|` for each end of a line.
func wire(_ text: String) -> [UInt8] { Array(text.replacing("|", with: "\r\n").utf8) }

/// The same with keys that are text.
extension StaleKeys {
  func contains(_ key: String) -> Bool { contains(Array(key.utf8).span) }

  mutating func insert(_ key: String) { _ = insert(Array(key.utf8), at: 1, sinceMilliseconds: 0, .lost) }
}
