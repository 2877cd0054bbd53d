public import RESP

/// The server at the other end of a connection, as its `INFO server` describes it.
public struct ServerIdentity: Sendable, Equatable {
  /// The family of servers.
  public enum Flavour: String, Sendable {
    case redis
    case valkey
  }

  /// The random name that a server gives itself at each start; nil if INFO is not allowed.
  public var runID: String?
  /// The server's own version: `valkey_version` for a Valkey, `redis_version` otherwise.
  public var version: String?
  /// Valkey if the server calls itself so, otherwise Redis.
  public var flavour: Flavour
  /// The database that the connection has selected.
  public var database: Int
  /// Whether it is a sentinel; nil if INFO is not allowed.
  var isSentinel: Bool?
  /// Whether it is a replica, which gets keys from its master at any moment; nil if it was not asked, or does not tell.
  public var isReplica: Bool?
  /// The number of keys in that database right after the connection was made, before any command of a client; nil if it
  /// was not asked for or is not allowed.
  public var keyCount: Int?
  /// The modules that the server has loaded, an array as HELLO has it in RESP2; nil if it was not asked for or the
  /// server does not know HELLO.
  public var modules: [UInt8]?

  /// An identity made of its parts.
  public init(runID: String?, version: String?, flavour: Flavour, database: Int) {
    self.runID = runID
    self.version = version
    self.flavour = flavour
    self.database = database
  }

  /// Reads the text of `INFO server`: lines of `name:value`. Valkey has the fields `server_name` and
  /// `valkey_version` (since 8.0) beside a `redis_version` for old clients.
  init(info: Substring, database: Int) {
    var fields: [Substring: Substring] = [:]
    for line in info.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...]
    }
    let isValkey = fields["server_name"] == "valkey" || fields["valkey_version"] != nil
    self.init(
      runID: fields["run_id"].map(String.init),
      version: (fields["valkey_version"] ?? fields["redis_version"]).map(String.init),
      flavour: isValkey ? .valkey : .redis,
      database: database
    )
    isSentinel = (fields["redis_mode"] ?? fields["server_mode"]).map { $0 == "sentinel" }
  }

  /// Whether the version is at least `major`.`minor`; nil if it has no numbers.
  public func isAtLeast(_ major: Int, _ minor: Int) -> Bool? {
    let parts = (version ?? "").split(separator: ".").prefix(2).compactMap { Int($0) }
    return parts.count < 2 ? nil : (parts[0], parts[1]) >= (major, minor)
  }

  /// The differences of its answers from those of Redis 7.0; none if its version is unknown.
  public var dialect: ServerDialect {
    func since(_ major: Int, _ minor: Int, _ differences: ServerDialect) -> ServerDialect {
      isAtLeast(major, minor) == true ? differences : []
    }
    return switch flavour {
    case .redis: since(7, 2, .showsPlaceOfVersion)
    case .valkey:
      since(7, 2, .showsPlaceOfVersion)
        .union(since(8, 0, .refusesNesting))
        .union(
          since(9, 0, [.namesCommandRefusedInTransaction, .asksForLoginFirst, .joinsQuotedParts, .filtersClients])
        )
        .union(since(9, 1, .hasArrayOfNoSubcommands))
    }
  }
}
