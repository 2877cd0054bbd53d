internal import TLS

/// The reason why a context has ended.
enum ContextEnd: Equatable {
  /// The operating system or the store ended it.
  case failed(String)
  /// The store sent bytes that are no reply, or a reply for which no command asked.
  case protocolViolated(String)
  /// TLS could not be agreed upon, or was broken.
  case tlsFailed(TLSFailure)
  /// A reply was nested more deeply than hiredis can read.
  case replyTooDeep
  /// This side ended it.
  case abandoned(ConnectionDownReason.Kind, detail: String)

  /// The store has closed the connection.
  static let storeClosed = failed("the store closed the connection")

  /// A reply that belongs to no command.
  static let unexpectedReply = protocolViolated("the store sent something that nobody had asked for")

  /// One sentence for humans, without a full stop.
  var detail: String {
    switch self {
    case .failed(let reason), .protocolViolated(let reason): reason
    case .tlsFailed(let failure): failure.message
    case .replyTooDeep: ConnectionFailure.tooDeep
    case .abandoned(_, let detail): detail
    }
  }
}

/// The error of a context that could not be made.
struct ContextFailure: Error {
  var reason: String
}
