public import Sockets
public import class TLS.TLSClient

/// The configuration of one store: its place, its login and its limits.
///
/// Its description never shows the password.
public struct StoreConfiguration: Sendable, Equatable, CustomStringConvertible {
  /// The name in messages: that under `stores`, or `sessions.primary` for one that is defined inside an instance.
  public var name: String
  /// The place of the store's server.
  public var place: Place
  /// The ACL user; nil means Redis' default user.
  public var username: String?
  /// The password; nil for no AUTH.
  public var password: Secret?
  /// The path of the file that has the user now; nil without one.
  public var usernameFile: String?
  /// The path of the file that has the password now; nil without one.
  public var passwordFile: String?
  /// The program that prints the password, and its arguments; nil without one.
  public var passwordCommand: [String]?
  /// The database's number.
  public var database: Int
  /// Whether the URL names the database; clients can't select another one then.
  public var namesDatabase = false
  /// TLS to the store; nil for plain connections.
  public var tls: TLSClient?
  /// The time limit on connecting, including TLS and the login.
  public var connectTimeout: Duration
  /// The time limit on a reply; nil for none.
  public var commandTimeout: Duration?
  /// The number of commands that may wait for this store's replies before further ones are refused.
  public var maxQueuedCommands: Int
  /// The bytes of commands that may wait to be sent before further ones are refused.
  public var maxQueuedBytes: Int

  /// Place and database, such as `127.0.0.1:6380/0`, `unix:/run/redis.sock/1` or `sentinel:NAME@10.0.0.1:26379/0`.
  public var description: String { "\(place)/\(database)" }
}

extension StoreConfiguration {
  /// The place of a store's server.
  public enum Place: Sendable, Equatable {
    /// This address.
    case address(SocketAddress)
    /// Where the sentinels say that the master is.
    case sentinels(Sentinels)
  }

  /// The sentinels of a store.
  public struct Sentinels: Sendable, Equatable {
    /// The name under which they watch the master.
    public var master: String
    /// The sentinels that are asked first; never empty.
    public var nodes: [SocketAddress]
    /// The ACL user; nil means Redis' default user.
    public var username: String?
    /// The password; nil for no AUTH.
    public var password: Secret?
    /// The path of the file that has the password now; nil without one.
    public var passwordFile: String?
    /// TLS to the sentinels; nil for plain connections.
    public var tls: TLSClient?
  }
}

extension StoreConfiguration {
  /// The sentinels; nil for a fixed address.
  var sentinels: Sentinels? { if case .sentinels(let sentinels) = place { sentinels } else { nil } }
}

extension StoreConfiguration.Place: CustomStringConvertible {
  /// The address, or the master's name with the sentinels' addresses.
  public var description: String { "\(location)" }
}
