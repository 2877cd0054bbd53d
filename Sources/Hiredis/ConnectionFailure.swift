/// The reason why a command got no reply.
public enum ConnectionFailure: Error, Sendable, Equatable {
  /// There is no connection, and the command was never sent.
  case notConnected(reason: String)
  /// The connection ended after the command was sent: the store may or may not have executed it.
  case connectionLost(reason: String)
  /// No reply within the command timeout. The connection was closed, since a late reply could not be distinguished from
  /// the next command's.
  case timedOut
  /// The server executes a script that takes too long, and refuses the handshake of a new connection with this error
  /// reply, as it would have refused the command. The command was never sent.
  case busy(errorReply: String)
  /// Too many commands, or too many bytes of them, were waiting already. The command was never sent.
  case queueFull(limit: Int)
  /// The connection was closed by its owner.
  case closed

  /// Whether the store may have executed the command all the same.
  public var mayHaveBeenExecuted: Bool {
    switch self {
    case .notConnected, .busy, .queueFull: false
    case .connectionLost, .timedOut, .closed: true
    }
  }

  /// Whether this is the failure of a command whose reply was nested more than eight arrays deep, with which hiredis
  /// 0.14 ends the connection. The same command would have such a reply again, so it should not be sent on a shared
  /// connection any more. The other commands in flight were lost with it, and may be sent on one again.
  public var isReplyTooDeep: Bool { self == .connectionLost(reason: Self.tooDeep) }

  static let tooDeep = "the reply is nested more than eight arrays deep, which hiredis can't read"
  static let neighbourTooDeep = "another command's reply on the same connection was nested too deep to be read"

  /// Before `connect`.
  static let neverConnected = notConnected(reason: "connect was not called")
  /// During the store's probation; see ``Probation``.
  static let onProbation = notConnected(
    reason: "the store did not answer in time before, and has to answer probes first"
  )
  /// After a command has waited for an attempt to connect for as long as it may.
  static let heldTooLong = notConnected(
    reason: "the connection is being made again, which takes longer than commands may wait"
  )
}

extension ConnectionFailure: CustomStringConvertible {
  /// One sentence for humans, without a full stop.
  public var description: String {
    switch self {
    case .notConnected(let reason): "not connected: \(reason)"
    case .connectionLost(let reason): "connection lost: \(reason)"
    case .timedOut: "no reply within the command timeout"
    case .busy(let errorReply): "not connected: \(errorReply)"
    case .queueFull(let limit): "too much is waiting for the store already (limit \(limit))"
    case .closed: "the connection was closed"
    }
  }
}

extension ConnectionFailure {
  /// The failure of a command on a connection that has become unusable for `reason`.
  public init(_ reason: ConnectionDownReason) {
    switch reason.kind {
    case .busy: self = .busy(errorReply: reason.detail)
    case .lost, .commandTimedOut: self = .connectionLost(reason: reason.description)
    case .connectFailed, .timedOut, .tlsFailed, .authenticationRejected, .refused, .databaseRejected:
      self = .notConnected(reason: reason.description)
    }
  }
}

/// The reason why a connection is not usable now, and the delay of its next attempt.
public struct ConnectionDownReason: Sendable, Equatable, CustomStringConvertible {
  /// The kind of failure.
  public enum Kind: String, Sendable {
    /// No connection could be made.
    case connectFailed
    /// TLS could not be agreed upon. A retry can succeed only after certificates or settings were changed.
    case tlsFailed
    /// Connecting or the handshake took longer than the connect timeout, or a probe was not answered.
    case timedOut
    /// The store requires a password, or another one. A retry can succeed only after that was changed.
    case authenticationRejected
    /// The store answered the handshake with another error, for example while it loads its data.
    case refused
    /// The store executes a script that takes too long. The handshake continues when that has ended.
    case busy
    /// The store answered SELECT with an error: it has no such database, or not for this user.
    case databaseRejected
    /// A working connection has ended.
    case lost
    /// A working connection was closed because a command got no reply in time.
    case commandTimedOut
  }

  /// The kind of failure.
  public let kind: Kind
  /// The operating system's or the store's error text.
  public let detail: String
  /// Whether the connection had been ready before.
  public var wasReady: Bool { kind == .lost || kind == .commandTimedOut }
  /// The number of failures in a row, this one included.
  public let attempt: Int
  /// The time until the next attempt.
  public let retryDelay: Duration

  /// One sentence for humans, without a full stop.
  public var description: String {
    let what =
      switch kind {
      case .connectFailed: "connecting failed"
      case .tlsFailed: "TLS failed"
      case .timedOut: "connecting took too long"
      case .authenticationRejected: "the store rejected the login"
      case .refused: "the store is not ready"
      case .busy: "the store is busy"
      case .databaseRejected: "the store refuses the database"
      case .lost: "the connection was lost"
      case .commandTimedOut: "a command got no reply in time"
      }
    return "\(what): \(detail)"
  }
}
