internal import CoreMetrics
public import Hiredis
internal import RESP

/// The kind of a batch: the label `command` of the diff counter, and the framing of the commands on the wire.
public enum BatchKind: Hashable, Sendable {
  /// One command.
  case single
  /// Two or more commands of one client that arrived together.
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

/// A batch being executed by the stores. Derived classes send commands; this class holds their shared state, and
/// handles answers, refusals and failures.
///
/// An execution is reused for other batches under the same default store: a finished one goes to the database's pool.
/// Constants are read without counting a reference. Loop-confined.
class Execution: ReplyReceiver {
  /// The most memory that an execution keeps for its next use.
  static let keptCapacity = 16 << 10

  /// The database whose stores execute. It is retained, so that no reference is counted where it is used; a closed
  /// database has failed all commands and keeps no executions.
  final let database: Database
  /// The role of ``defaultStore``. A pass-through instance has its secondary in both roles.
  final let defaultRole: StoreRole
  /// The store whose reply is the client's.
  final let defaultStore: Store
  /// The one that gets copies, if the instance has it.
  final let other: Store
  /// The commands; none between two uses.
  final let batch = CommandBatch()
  /// The receiver of the replies; nil once it was notified.
  private(set) var sink: ReplySink?
  private(set) var routing = Routing(flags: FlagState(), canUsePrimary: false, readPolicy: .fallback)
  /// The loop's clock at the start, in nanoseconds; 0 unless the order on both stores depends on it.
  private(set) final var begunAt: UInt64 = 0
  /// The client's reply, while it has to wait for the other store: the contents of the sink's output may be sent at any
  /// time.
  final var heldReply = ByteBuffer()
  /// The number of copies of whole keys in flight.
  final var keyCopiesLeft = 0

  /// An execution without a batch, for routings whose default store has the role `defaultRole`.
  required init(in database: Database, defaultRole: StoreRole) {
    self.database = database
    self.defaultRole = defaultRole
    defaultStore = database.store(defaultRole)
    other = database.store(defaultRole.other)
  }

  /// Takes over the commands of `batch` and starts.
  final func start(_ batch: consuming CommandBatch, routing: Routing, sink: ReplySink) {
    self.batch.swapCommands(with: batch)
    database.recycle(batch)
    self.sink = sink
    self.routing = routing
    begunAt = writesToBoth ? database.dualExecutionBegan() : 0
    begin()
  }

  /// Hands the batch over to `successor`, which goes on under `routing` and answers the client.
  final func handOver(to successor: Execution, routing: Routing) {
    successor.batch.swapCommands(with: batch)
    successor.sink = sink
    successor.begunAt = begunAt
    successor.routing = routing
    sink = nil
    if successor.writesToBoth { database.dualExecutionBegan() }
  }

  /// Takes the sink out, for another object that continues with the batch and answers the client.
  final func takeSink() -> ReplySink? { sink.take() }

  /// Applies `routing`, whose default store is the same, from now on.
  final func reroute(_ routing: Routing) {
    self.routing = routing
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

  /// The line of the command table for the command in the batch's bytes at `index`, which determines where the keys
  /// are.
  final func bytesSpec(_ index: Int) -> CommandSpec {
    batch.bytesSpec(index)
  }

  /// Whether a client waits for the replies.
  final var isAwaited: Bool { sink != nil }

  /// Notifies the sink that the replies are in its output, once.
  final func answer() {
    guard let sink = sink.take() else { return }
    if !heldReply.isEmpty { passOnHeldReply(to: sink) }
    sink.executionDidFinish()
  }

  private func passOnHeldReply(to sink: ReplySink) {
    if sink.output.isEmpty {
      swap(&sink.output, &heldReply)
    } else {
      heldReply.withSpan { sink.output.append($0) }
    }
    heldReply.removeAll(keepingCapacityUpTo: Self.keptCapacity)
  }

  /// Notes that the command at `index` could not be sent to the default store, or was not answered. If it may have been
  /// executed, the other store may lack it.
  final func noteFailure(_ failure: ConnectionFailure, at index: Int = 0) {
    sink?.executionDidFail(failure, at: index, on: routing.defaultStore)
    noteUnknownEffect(of: failure, at: index)
  }

  /// Counts and marks the command at `index` as a failed copy if the store may have executed it without answering, so
  /// that the other store may lack it. When the default store has moved meanwhile, the new one is authoritative, and
  /// the old one may have a change too many.
  final func noteUnknownEffect(of failure: ConnectionFailure, at index: Int) {
    guard failure.mayHaveBeenExecuted, routing.isDual else { return }
    (database.defaultStore === other ? defaultStore : other).mayLack(batch, index)
  }

  /// Answers the command of a batch of one with the default store's failure.
  final func answerWithFailure(_ failure: ConnectionFailure) {
    sink?.output.appendError(failure.clientError(store: routing.defaultStore))
    noteFailure(failure)
  }

  /// Sends the command of a batch of one to `store`, or refuses it if the queue has no room. A session has one
  /// execution at a time, so that the refusal needs no position in the connection's order.
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

  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  final func finish() {
    answer()
    let database = database
    if writesToBoth { database.dualExecutionEnded() }
    batch.removeAll()
    recycle()
  }

  /// Whether the order on both stores depends on this execution. To be overridden.
  var writesToBoth: Bool { false }

  /// Sends the first command. To be overridden.
  func begin() {}

  /// Returns to the pool of its class. To be overridden.
  func recycle() {}

  /// Continues after all whole keys were copied, or could not be.
  func keyCopiesDidFinish() {
    finish()
  }

  /// Receives a reply to a command sent with `token`. To be overridden.
  func receive(_ reply: borrowing Reply, token: Int) {}

  /// Handles the failure of a command sent with `token`, which gets no reply. To be overridden.
  func receive(failure: ConnectionFailure, token: Int) {}
}

extension Execution: KeyCopyWaiter {
  final func keyCopyDidFinish(_ copy: KeyCopy) {
    keyCopiesLeft -= 1
    if keyCopiesLeft == 0 { keyCopiesDidFinish() }
  }
}

extension ConnectionFailure {
  /// The error reply that a client gets.
  public func clientError(store: StoreRole) -> String {
    if case .busy(let errorReply) = self { return errorReply }
    return "ERR MultiStore: \(store.label) store: \(self)"
  }

  var copyFailureReason: CopyFailureReason {
    switch self {
    case .notConnected, .busy, .closed: .unavailable
    case .connectionLost: .lost
    case .timedOut: .timeout
    case .queueFull: .queueFull
    }
  }
}
