public import EventLoop
public import class TLS.TLSClient

/// The place of a store and the login there. No description of it contains the password.
public struct StoreEndpoint: Sendable, Equatable {
  /// The place of the store's server.
  public var location: StoreLocation
  /// The ACL user; nil logs in as the default user.
  public var username: String?
  /// The password; nil sends no AUTH.
  public var password: String?
  /// The file that has the ACL user now; nil for ``username``.
  public var usernameFile: LoginFile?
  /// The file that has the password now; nil for ``password``.
  public var passwordFile: LoginFile?
  /// The program that prints the password; nil for ``password``.
  public var passwordCommand: LoginCommand?
  /// The number of the logical database, 0 or more.
  public var database: Int
  /// TLS of all connections to the store, whose name is that of the server's address unless the settings have another;
  /// nil for plain ones.
  public var tls: TLSClient?

  /// Makes the endpoint of a store at `address`; database 0, no login and no TLS by default.
  public init(
    address: SocketAddress,
    username: String? = nil,
    password: String? = nil,
    database: Int = 0,
    tls: TLSClient? = nil
  ) {
    self.init(location: .address(address), username: username, password: password, database: database, tls: tls)
  }

  /// Makes the endpoint of a store at a place; database 0, no login and no TLS by default.
  public init(
    location: StoreLocation,
    username: String? = nil,
    password: String? = nil,
    database: Int = 0,
    tls: TLSClient? = nil
  ) {
    self.location = location
    self.tls = tls
    self.username = username
    self.password = password
    self.database = database
  }
}

extension StoreEndpoint {
  /// Returns the same endpoint with the login that its files have now.
  ///
  /// - Parameter printed: the password that its program has printed, if it has one.
  func withCurrentLogin(printed: String?) -> StoreEndpoint {
    var endpoint = self
    if passwordCommand != nil { endpoint.password = printed }
    if let usernameFile { endpoint.username = usernameFile.read() }
    if let passwordFile { endpoint.password = passwordFile.read() }
    return endpoint
  }

  /// The files of the login as they are now; nil if it has none, or while one is missing.
  var loginFiles: LoginFileIdentities? {
    guard usernameFile != nil || passwordFile != nil else { return nil }
    let files = LoginFileIdentities(username: usernameFile?.identity, password: passwordFile?.identity)
    let areThere = (usernameFile == nil || files.username != nil) && (passwordFile == nil || files.password != nil)
    return areThere ? files : nil
  }

  /// AUTH with this login; nil without a password.
  var authentication: [String]? {
    password.map { ["AUTH"] + (username.map { [$0] } ?? []) + [$0] }
  }
}

extension StoreEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Place and database: `127.0.0.1:6379/0`.
  public var description: String { "\(location)/\(database)" }

  /// The same as `description`.
  public var debugDescription: String { description }

  /// Everything but the password, of which only the presence is shown.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "location": location, "username": username as Any, "hasPassword": password != nil, "database": database,
        "hasTLS": tls != nil,
      ]
    )
  }
}

/// The timeouts and bounds of a connection.
public struct ConnectionLimits: Sendable, Equatable {
  /// The most time from the start of an attempt to a finished handshake.
  public var connectTimeout: Duration
  /// The most time from sending a command to its reply; nil for no limit, which blocking commands need.
  public var commandTimeout: Duration?
  /// The most commands without a reply. One more is refused.
  public var maxQueuedCommands: Int
  /// The most bytes of commands that the operating system has not taken yet. A command beyond that is refused.
  public var maxQueuedBytes: Int
  /// The bound of the delay after the first failed attempt; it doubles with every further one. Attempts never begin
  /// closer together than this.
  public var backoffBase: Duration
  /// The largest bound of the delay. A store that was down is found within this time after it accepts connections.
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
