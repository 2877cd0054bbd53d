internal import Hiredis

/// Why the other store did not execute what the default store did.
struct CopyFailure {
  let reason: CopyFailureReason
  /// The exception that redis-rb would have raised.
  let exceptionClass: String
  /// For humans; without keys or values.
  let description: String

  init(_ failure: ConnectionFailure) {
    reason = failure.copyFailureReason
    exceptionClass = failure.exceptionClass
    description = failure.description
  }

  /// An error reply. Only its code goes on: a server quotes arguments in the rest.
  init(_ reply: borrowing Reply) {
    reason = .errorReply
    exceptionClass = "Redis::CommandError"
    description = "error reply \(reply.errorCode)"
  }

  init(reason: CopyFailureReason, exceptionClass: String, description: String) {
    self.reason = reason
    self.exceptionClass = exceptionClass
    self.description = description
  }
}

extension Reply {
  /// The first word of an error reply: `WRONGTYPE`, `OOM`, `ERR`.
  var errorCode: String {
    var code = ""
    let text = bytes
    for index in text.indices.prefix(32) {
      guard text[index] > 0x20, text[index] < 0x7f else { break }
      code.unicodeScalars.append(UnicodeScalar(text[index]))
    }
    return code
  }
}
