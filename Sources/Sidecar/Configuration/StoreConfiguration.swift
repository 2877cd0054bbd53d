public import Sockets

/// One store: where it is, how to log in, and how long it may take.
///
/// Its description never shows the password.
public struct StoreConfiguration: Sendable, Equatable, CustomStringConvertible {
  /// What messages call it: the name under `stores`, or `sessions.primary` for one written inside an instance.
  public var name: String
  /// Where it listens.
  public var address: SocketAddress
  /// The ACL user; nil means Redis' default user.
  public var username: String?
  /// The password; nil when no AUTH is to be sent.
  public var password: Secret?
  /// The database number that SELECT gets.
  public var database: Int
  /// Whether the URL names the database: then clients can't select another.
  public var namesDatabase = false
  /// How long connecting, logging in included, may take.
  public var connectTimeout: Duration
  /// How long a reply may take; nil means for ever.
  public var commandTimeout: Duration?
  /// Commands that may wait for this store's replies before further ones are refused.
  public var maxQueuedCommands: Int
  /// Bytes of commands that may wait to be sent before further ones are refused.
  public var maxQueuedBytes: Int

  /// Address and database, such as `127.0.0.1:6380/0` or `unix:/run/redis.sock/1`.
  public var description: String { "\(address)/\(database)" }
}
