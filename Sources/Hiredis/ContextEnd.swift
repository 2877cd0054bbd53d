/// Why a context has ended, in the terms of the bridge.
enum ContextEnd {
  /// The operating system or the store ended it.
  case failed(String)
  /// The store said something that is no reply, or for which no command asked.
  case protocolViolated(String)
  /// A reply was nested deeper than hiredis can read.
  case replyTooDeep
  /// Ended from this side by `abort`.
  case aborted
}

/// A context could not be made.
struct ContextFailure: Error {
  var reason: String
}
