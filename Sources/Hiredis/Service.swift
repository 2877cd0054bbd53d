/// How long commands may wait for a connection's store.
public enum Service: Sendable, Equatable {
  /// Commands wait for each attempt to connect while it lasts, and for replies up to the limits' command timeout.
  case patient
  /// The store is dispensable. A reply may take `timeout` at most, or the command timeout if that is shorter. Commands
  /// wait for no attempt but the first and the one that replaces a lost connection, and for these `timeout` at most;
  /// otherwise they fail at once. After a timeout the store has to answer probes for a while before commands are sent
  /// again; see ``Probation``.
  case bestEffort(timeout: Duration)
}

extension ConnectionLimits {
  /// How long a command may go without a reply; nil for ever.
  func commandTimeout(for service: Service) -> Duration? {
    switch service {
    case .patient: commandTimeout
    case .bestEffort(let timeout): min(commandTimeout ?? timeout, timeout)
    }
  }
}
