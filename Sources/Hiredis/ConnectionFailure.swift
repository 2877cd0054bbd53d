/// Why a command got no reply.
public enum ConnectionFailure: Error, Sendable, Equatable {
  /// There is no connection, and the command was never sent.
  case notConnected(reason: String)
  /// The connection ended after the command was sent: the store may or may not have executed it.
  case connectionLost(reason: String)
  /// No reply within the command timeout. The connection was closed, since a late reply could not be told from the
  /// next command's.
  case timedOut
  /// Too many commands, or too many bytes of them, were waiting already. The command was never sent.
  case queueFull(limit: Int)
  /// The connection was closed by its owner.
  case closed

  /// Whether the store may have executed the command all the same.
  public var mayHaveBeenExecuted: Bool {
    switch self {
    case .notConnected, .queueFull: false
    case .connectionLost, .timedOut, .closed: true
    }
  }

  /// True for the one command whose reply was nested more than eight arrays deep: hiredis 0.14 gives up the connection
  /// then. The same command would do it again, so it should not be sent on a shared connection any more. The others in
  /// flight were lost with it and are blameless.
  public var isReplyTooDeep: Bool { self == .connectionLost(reason: Self.tooDeep) }

  static let tooDeep = "the reply is nested more than eight arrays deep, which hiredis can't read"
  static let neighbourTooDeep = "another command's reply on the same connection was nested too deep to be read"
}

extension ConnectionFailure: CustomStringConvertible {
  /// One sentence for humans, without a full stop.
  public var description: String {
    switch self {
    case .notConnected(let reason): "not connected: \(reason)"
    case .connectionLost(let reason): "connection lost: \(reason)"
    case .timedOut: "no reply within the command timeout"
    case .queueFull(let limit): "too much is waiting for the store already (limit \(limit))"
    case .closed: "the connection was closed"
    }
  }
}

/// Why a connection is not usable now, and when it tries again.
public struct ConnectionDownReason: Sendable, Equatable, CustomStringConvertible {
  /// What kind of trouble it is.
  public enum Kind: String, Sendable {
    /// No connection could be made.
    case connectFailed
    /// Connecting or the handshake took longer than the connect timeout, or a probe was not answered.
    case timedOut
    /// The store wants a password, or another one. Trying again helps only once that was changed.
    case authenticationRejected
    /// The store answered the handshake with another error, for example while it loads its data.
    case refused
    /// The store answered SELECT with an error: it has no such database, or not for this user.
    case databaseRejected
    /// A working connection has ended.
    case lost
    /// A working connection was closed because a command got no reply in time.
    case commandTimedOut
  }

  /// What kind of trouble it is.
  public let kind: Kind
  /// The operating system's or the store's own words.
  public let detail: String
  /// True when the connection had been ready before.
  public var wasReady: Bool { kind == .lost || kind == .commandTimedOut }
  /// How many times in a row this has happened, beginning with 1.
  public let attempt: Int
  /// How long until the next attempt.
  public let retryDelay: Duration

  /// One sentence for humans, without a full stop.
  public var description: String {
    let what =
      switch kind {
      case .connectFailed: "connecting failed"
      case .timedOut: "connecting took too long"
      case .authenticationRejected: "the store rejected the login"
      case .refused: "the store is not ready"
      case .databaseRejected: "the store refuses the database"
      case .lost: "the connection was lost"
      case .commandTimedOut: "a command got no reply in time"
      }
    return "\(what): \(detail)"
  }
}
