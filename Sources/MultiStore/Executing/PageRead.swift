internal import Hiredis
internal import RESP

/// One page of SCAN, SSCAN, HSCAN or ZSCAN from one store: the one that gave the cursor.
final class PageRead: PooledExecution, ReplyReceiver {
  private let core: ExecutionCore
  private var scratch = ByteBuffer()
  private var owner = StoreRole.secondary

  var defaultRole: StoreRole { core.defaultRole }

  init(_ core: ExecutionCore) {
    self.core = core
  }

  func start(_ batch: consuming CommandBatch, routing: Routing, sink: any ReplySink) {
    core.begin(batch, routing: routing, writesToBoth: false, sink: sink)
    read()
  }

  private func read() {
    let givenBy = core.batch.withCommand(0) { StoreCursor.owner(of: $0, core.batch.spec(0)) }
    owner = givenBy ?? core.routing.defaultStore
    if givenBy == .primary {
      core.batch.withCommand(0) { StoreCursor.unmark($0, core.batch.spec(0), into: &scratch) }
      core.batch.replace(0, with: &scratch)
    }
    let store = core.database.store(owner)
    core.sendOrRefuse(to: store, over: store.ordinary, token: 0, for: self)
  }

  /// Answers, and gives the execution back for reuse. Nothing may use the execution afterwards.
  private func finish() {
    core.end()
    scratch.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    core.database.pools.pageReads.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if let sink = core.sink { StoreCursor.encode(reply, of: owner, into: &sink.output) }
    finish()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    core.database.reporter.readFailed(core.batch, on: owner, ReportedException(failure))
    core.answerWithFailure(failure, of: owner)
    finish()
  }
}
