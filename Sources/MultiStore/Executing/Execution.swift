internal import CoreMetrics
internal import Hiredis
internal import RESP

/// A kind of execution: it decides which commands are sent to which store, and holds an ``ExecutionCore``, which
/// answers the client.
///
/// The kinds are final classes, so that calls between them and the core are direct ones.
protocol Execution: AnyObject {
  /// The batch, its client and its stores.
  var core: ExecutionCore { get }

  /// Releases what the finished execution holds beside its core, and keeps the object for its next use if there is one.
  func recycle()
}

/// A kind of execution that is used for one batch after the other; see ``ExecutionPools``.
protocol PooledExecution: Execution {
  /// An execution without a batch.
  init(_ core: ExecutionCore)
}

/// The parts of the core, under the names that the kinds use.
extension Execution {
  /// The database whose stores execute.
  @inline(__always)
  var database: Database { core.database }

  /// The store whose reply is the client's.
  @inline(__always)
  var defaultStore: Store { core.defaultStore }

  /// The store that gets copies, if the instance has it.
  @inline(__always)
  var other: Store { core.other }

  /// The commands.
  @inline(__always)
  var batch: CommandBatch { core.batch }

  /// The receiver of the replies; nil once it was notified.
  @inline(__always)
  var sink: (any ReplySink)? { core.sink }

  /// The routing of the batch.
  @inline(__always)
  var routing: Routing { core.routing }

  /// Lends the bytes of the command at `index` to `body`.
  @inline(__always)
  func withCommand<Result>(_ index: Int = 0, _ body: (Span<UInt8>) -> Result) -> Result {
    core.batch.withCommand(index, body)
  }

  /// The line of the command table for the command at `index`.
  @inline(__always)
  func spec(_ index: Int) -> CommandSpec { core.batch.spec(index) }

  /// The line of the command table for the command in the batch's bytes at `index`, which determines where the keys
  /// are.
  @inline(__always)
  func bytesSpec(_ index: Int) -> CommandSpec { core.batch.bytesSpec(index) }
}

extension Execution {
  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  @inline(__always)
  func finish() {
    core.end()
    recycle()
  }
}

extension Execution where Self: ReplyReceiver {
  /// Sends the command of a batch of one to `store`, or refuses it if the queue has no room. A session has one
  /// execution at a time, so that the refusal needs no position in the connection's order.
  ///
  /// - Returns: false if it was refused, in which case the execution may be over.
  @discardableResult
  func sendOrRefuse(to store: Store, over connection: HiredisConnection, token: Int) -> Bool {
    if let failure = core.refusal(by: store, over: connection, bytes: batch.byteCount) {
      receive(failure: failure, token: token)
      return false
    }
    withCommand { connection.send($0, of: batch.owner(0), to: self, token: token) }
    return true
  }
}
