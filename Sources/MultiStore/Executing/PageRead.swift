internal import Hiredis
internal import RESP

/// One page of SCAN, SSCAN, HSCAN or ZSCAN from one store: the one that gave the cursor.
final class PageRead: Execution {
  private var scratch = ByteBuffer()
  private var owner = StoreRole.secondary

  override func begin() {
    let givenBy = withCommand { StoreCursor.owner(of: $0, spec(0)) }
    owner = givenBy ?? routing.defaultStore
    if givenBy == .primary {
      withCommand { StoreCursor.unmark($0, spec(0), into: &scratch) }
      batch.replace(0, with: &scratch)
    }
    let store = database.store(owner)
    sendOrRefuse(to: store, over: store.ordinary, token: 0)
  }

  override func recycle() {
    scratch.removeAll(keepingCapacityUpTo: Self.keptCapacity)
    database.pools.pageReads.recycle(self)
  }

  override func receive(_ reply: borrowing Reply, token: Int) {
    if let sink { StoreCursor.encode(reply, of: owner, into: &sink.output) }
    finish()
  }

  override func receive(failure: ConnectionFailure, token: Int) {
    database.reporter.readFailed(batch, on: owner, ReportedException(failure))
    sink?.output.appendError(failure.clientError(store: owner))
    sink?.executionDidFail(failure, at: 0, on: owner)
    finish()
  }
}
