/// The time that commands may wait for a connection's store.
public enum Service: Sendable, Equatable {
  /// Commands wait for each attempt to connect while it lasts, and for replies up to the limits' command timeout.
  case patient
  /// The store is dispensable. A reply may take `timeout` at most, or the command timeout if that is shorter. Commands
  /// wait only for the first attempt and for the one that replaces a lost connection, and for these `timeout` at most;
  /// otherwise they fail at once. After a timeout the store has to answer probes for a while before commands are sent
  /// again; see ``Probation``.
  case bestEffort(timeout: Duration)
}

extension ConnectionLimits {
  /// Returns the time that a command may go without a reply; nil for no limit.
  func commandTimeout(for service: Service) -> Duration? {
    switch service {
    case .patient: commandTimeout
    case .bestEffort(let timeout): min(commandTimeout ?? timeout, timeout)
    }
  }
}
