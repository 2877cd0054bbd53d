internal import Hiredis

/// The exception of an event: the one that redis-rb, or GitLab's MultiStore, would have raised.
struct ReportedException: Equatable {
  /// The full name of an exception's class, as log-based alerts match it.
  enum Name: String {
    case cannotConnect = "Redis::CannotConnectError"
    case connection = "Redis::ConnectionError"
    case timeout = "Redis::TimeoutError"
    case command = "Redis::CommandError"
    case methodMissing = "Gitlab::Redis::MultiStore::MethodMissingError"
    case readFromPrimary = "Gitlab::Redis::MultiStore::ReadFromPrimaryError"
    case pipelinedDiff = "Gitlab::Redis::MultiStore::PipelinedDiffError"
    /// One that GitLab does not have.
    case persistentDiff = "MultiStore::PersistentDiffError"
    /// One that GitLab does not have.
    case keyDifference = "MultiStore::KeyDifferenceError"
    /// One that GitLab does not have.
    case queueFull = "MultiStore::QueueFullError"
  }

  let name: Name
  /// The message for humans. It holds values only if the configuration asks for them.
  let message: String

  init(_ name: Name, _ message: String) {
    self.name = name
    self.message = message
  }

  /// The exception for a command that got no reply.
  init(_ failure: ConnectionFailure) {
    let name: Name =
      switch failure {
      case .notConnected, .busy, .closed: .cannotConnect
      case .connectionLost: .connection
      case .timedOut: .timeout
      case .queueFull: .queueFull
      }
    self.init(name, failure.description)
  }

  /// The exception for an error reply. Only its code is shown: a server quotes arguments in the rest.
  init(errorReply code: String) {
    self.init(.command, "error reply \(code)")
  }
}
