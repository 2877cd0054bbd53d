internal import Hiredis
internal import RESP

/// One page of SCAN, SSCAN, HSCAN or ZSCAN from one store: the one that gave the cursor.
final class PageRead: PooledExecution, ReplyReceiver {
  let core: ExecutionCore
  private var scratch = ByteBuffer()
  private var owner = StoreRole.secondary

  init(_ core: ExecutionCore) {
    self.core = core
  }

  func start(_ batch: consuming CommandBatch, routing: Routing, sink: any ReplySink) {
    core.begin(batch, routing: routing, writesToBoth: false, sink: sink)
    read()
  }

  private func read() {
    let givenBy = withCommand { StoreCursor.owner(of: $0, spec(0)) }
    owner = givenBy ?? routing.defaultStore
    if givenBy == .primary {
      withCommand { StoreCursor.unmark($0, spec(0), into: &scratch) }
      batch.replace(0, with: &scratch)
    }
    let store = database.store(owner)
    sendOrRefuse(to: store, over: store.ordinary, token: 0)
  }

  func recycle() {
    scratch.removeAll(keepingCapacityUpTo: ExecutionCore.keptCapacity)
    database.pools.pageReads.recycle(self)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if let sink { StoreCursor.encode(reply, of: owner, into: &sink.output) }
    finish()
  }

  func receive(failure: ConnectionFailure, token: Int) {
    database.reporter.readFailed(batch, on: owner, ReportedException(failure))
    core.answerWithFailure(failure, of: owner)
    finish()
  }
}
