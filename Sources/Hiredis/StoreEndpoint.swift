public import EventLoop

/// Where a store is and how to log in there. No description of it contains the password.
public struct StoreEndpoint: Sendable, Equatable {
  /// The store's address; a TCP host may be a name, which is resolved for every attempt to connect.
  public var address: SocketAddress
  /// The ACL user; nil logs in as the default user.
  public var username: String?
  /// Nil sends no AUTH.
  public var password: String?
  /// The number of the logical database, 0 or more.
  public var database: Int

  /// A store at `address`; database 0 and no login unless told otherwise.
  public init(address: SocketAddress, username: String? = nil, password: String? = nil, database: Int = 0) {
    self.address = address
    self.username = username
    self.password = password
    self.database = database
  }
}

extension StoreEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Address and database: `127.0.0.1:6379/0`.
  public var description: String { "\(address)/\(database)" }

  /// The same as `description`.
  public var debugDescription: String { description }

  /// Everything but the password, of which only the presence is shown.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "address": address, "username": username as Any, "hasPassword": password != nil, "database": database,
      ]
    )
  }
}

/// How long a connection waits, and how much it holds.
public struct ConnectionLimits: Sendable, Equatable {
  /// From the start of an attempt to a finished handshake.
  public var connectTimeout: Duration
  /// From sending a command to its reply; nil waits for ever, which blocking commands need.
  public var commandTimeout: Duration?
  /// Commands without a reply, at most. One more is refused.
  public var maxQueuedCommands: Int
  /// Bytes of commands that the operating system has not taken yet, at most. A command beyond that is refused.
  public var maxQueuedBytes: Int
  /// The bound of the delay after the first attempt that fails; it doubles with every further one. Attempts never begin
  /// closer together than this.
  public var backoffBase: Duration
  /// The bound of the delay at most. A store that was down is found within this time after it accepts connections.
  public var backoffCap: Duration

  /// Limits that suit a store in the same data centre.
  public init(
    connectTimeout: Duration = .seconds(5),
    commandTimeout: Duration? = .seconds(5),
    maxQueuedCommands: Int = 100_000,
    maxQueuedBytes: Int = 256 * 1024 * 1024,
    backoffBase: Duration = .milliseconds(50),
    backoffCap: Duration = .milliseconds(100)
  ) {
    self.connectTimeout = connectTimeout
    self.commandTimeout = commandTimeout
    self.maxQueuedCommands = maxQueuedCommands
    self.maxQueuedBytes = maxQueuedBytes
    self.backoffBase = backoffBase
    self.backoffCap = backoffCap
  }
}
