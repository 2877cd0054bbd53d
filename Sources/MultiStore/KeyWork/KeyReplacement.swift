internal import Hiredis
internal import RESP

/// A write that replaces stale keys of the default store as a whole, and is executed though they could not be copied
/// before. Until it is done, commands that name one of the keys wait as for a copy, and no copy begins.
///
/// It stands between the execution and the client's sink. Loop-confined; the execution retains it.
final class KeyReplacement: ReplyOutput, ReplySink {
  private let sink: any ReplySink
  private let copies: [KeyCopy]

  init(of keys: Set<[UInt8]>, on store: Store, in database: Database, for sink: any ReplySink) {
    self.sink = sink
    copies = keys.map { KeyCopy($0, .replace, from: database.store(store.role.other), to: store, of: database) }
    super.init()
  }

  func executionDidFail(_ failure: ConnectionFailure, at index: Int, on role: StoreRole) {
    sink.executionDidFail(failure, at: index, on: role)
  }

  func passOn(_ replies: Span<UInt8>) {
    output.append(replies)
  }

  func executionDidFinish() {
    let isRefused = output.withSpan { $0.isEmpty || $0[0] == UInt8(ascii: "-") }
    for copy in copies { copy.keyWasReplaced(!isRefused) }
    output.withSpan { sink.output.append($0) }
    sink.executionDidFinish()
  }
}
