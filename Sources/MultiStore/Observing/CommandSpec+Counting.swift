internal import Hiredis
internal import RESP

extension CommandSpec {
  /// Whether it is counted as method missing: it is neither a known read nor a known write, nor the protocol's own.
  /// INFO is not counted.
  var countsAsMethodMissing: Bool {
    commandClass == .unlisted && !traits.contains(.notCounted)
  }

  /// Whether it reads keys, by the table or by its options.
  var isRead: Bool { commandClass == .read || classByOptions == .read }

  /// Whether its reply may be compared with the other store's in a pipeline or a transaction: it reads, or the other
  /// store executes it too.
  func mayDiffer(in comparison: ReplyComparison) -> Bool {
    guard self.comparison != .ignored || comparison == .exact else { return false }
    switch effect {
    case .none, .copyFirstKey, .copyLastKey, .copyKeys: return isRead
    default: return true
    }
  }

  /// Whether data may have been changed in spite of `error`: a script may have written before it failed, and servers do
  /// not roll back. NOSCRIPT means that no script ran, except for EVAL, whose own script may return that error. Nor did
  /// one run on a server that is busy with another.
  func mayHaveWritten(despite error: borrowing Reply) -> Bool {
    guard effect == .copyKeys, commandClass == .script else { return false }
    switch error.knownErrorCode {
    case .noScript: return id == .eval
    case .busy: return !String(decoding: error.bytes.array, as: UTF8.self).contains(" is busy running a ")
    default: return true
    }
  }

  /// Whether it is a write that is executed on the default store alone.
  var staysUncopied: Bool {
    (commandClass == .write || commandClass == .blocking) && effect == .none
  }
}
