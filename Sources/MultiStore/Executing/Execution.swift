internal import CoreMetrics
public import Hiredis
internal import RESP

/// What a batch is: the label `command` of the diff counter, and what surrounds the commands on the wire.
public enum BatchKind: Hashable, Sendable {
  /// One command.
  case single
  /// Two or more commands of one client that were there together.
  case pipelined
  /// The commands between MULTI and EXEC.
  case multi

  /// The name that GitLab's metrics and events give it.
  var label: String {
    switch self {
    case .single: "single"
    case .pipelined: "pipelined"
    case .multi: "multi"
    }
  }
}

/// A batch on its way through the stores. Derived classes say what happens; this one holds what they share.
///
/// Executions are reused: a finished one waits in the instance's pool for the next batch. Loop-confined.
class Execution: ReplyReceiver {
  /// The most memory that an execution keeps for its next use.
  static let keptCapacity = 16 << 10

  /// The instance outlives its executions: it holds the pools, and a closed instance has failed all pending commands.
  unowned let multiStore: MultiStore
  private(set) var batch = CommandBatch()
  /// Whom to answer; nil once that was done.
  private(set) var sink: ReplySink?
  private(set) var routing = Routing(flags: FlagState(), canUsePrimary: false, readPolicy: .fallback)
  /// The loop's clock when it began; 0 where nothing depends on it.
  private(set) final var begunAt: UInt64 = 0
  /// The store whose reply counts.
  private(set) final var defaultStore: Store
  /// The one that gets copies, if the instance has it.
  private(set) final var other: Store

  init(multiStore: MultiStore) {
    self.multiStore = multiStore
    defaultStore = multiStore.secondary
    other = multiStore.secondary
  }

  /// Takes over `batch` and begins.
  final func start(_ batch: CommandBatch, routing: Routing, sink: ReplySink) {
    self.batch = batch
    self.sink = sink
    reroute(routing)
    begunAt = writesToBoth ? multiStore.dualExecutionBegan() : 0
    begin()
  }

  /// From now on `routing` holds for it.
  final func reroute(_ routing: Routing) {
    self.routing = routing
    defaultStore = multiStore.store(routing.defaultStore)
    other = multiStore.store(routing.defaultStore.other)
  }

  /// Lends the bytes of the command at `index` to `body`.
  @inline(__always)
  final func withCommand<Result>(_ index: Int = 0, _ body: (Span<UInt8>) -> Result) -> Result {
    batch.withCommand(index, body)
  }

  /// The line of the command table for the command at `index`.
  final func spec(_ index: Int) -> CommandSpec {
    batch.spec(index)
  }

  /// The line of what stands in the batch's bytes at `index`: it tells where the keys are.
  final func bytesSpec(_ index: Int) -> CommandSpec {
    batch.bytesSpec(index)
  }

  /// A client waits for it.
  final var isAwaited: Bool { sink != nil }

  /// Tells the sink that its replies are in its output. Happens once.
  final func answer() {
    guard let sink else { return }
    self.sink = nil
    sink.executionDidFinish()
  }

  /// Sends the command of a batch of one to `store`, or refuses it if too much is waiting there already. An execution
  /// is the only one of its session, so that the refusal needs no place in the connection's order.
  ///
  /// - Returns: false if it was refused, in which case the execution may be over.
  @discardableResult
  final func sendOrRefuse(to store: Store, over connection: HiredisConnection, token: Int) -> Bool {
    guard connection.hasRoom(commands: 1, bytes: batch.byteCount) else {
      let failure = ConnectionFailure.queueFull(limit: connection.limits.maxQueuedCommands)
      store.metrics.rejected.increment()
      receive(failure: failure, token: token)
      return false
    }
    withCommand { connection.send($0, of: batch.owner(0), to: self, token: token) }
    return true
  }

  /// Puts the batch, and what `recycle` puts away, back for reuse. Nothing may touch the execution afterwards.
  final func finish() {
    answer()
    if writesToBoth { multiStore.dualExecutionEnded() }
    multiStore.recycle(batch)
    recycle()
  }

  /// True when the order on both stores depends on this execution. To be overridden.
  var writesToBoth: Bool { false }

  /// Sends the first command. To be overridden.
  func begin() {}

  /// Returns to the pool of its class. To be overridden.
  func recycle() {}

  /// To be overridden.
  func receive(_ reply: borrowing Reply, token: Int) {}

  /// To be overridden.
  func receive(failure: ConnectionFailure, token: Int) {}
}

extension ConnectionFailure {
  /// The error reply that a client gets.
  public func clientError(store: StoreRole) -> String {
    "ERR MultiStore: \(store.label) store: \(self)"
  }

  var copyFailureReason: CopyFailureReason {
    switch self {
    case .notConnected, .closed: .unavailable
    case .connectionLost: .lost
    case .timedOut: .timeout
    case .queueFull: .queueFull
    }
  }
}
