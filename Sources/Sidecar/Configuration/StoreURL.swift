internal import Sockets

/// The address and the login of a store, from its URL.
///
/// The forms are those of redis-cli and the common clients:
/// `redis://[user][:password@]host[:port][/database]` (IANA's provisional `redis` scheme), the same with `rediss://`
/// for TLS, and `unix://[user][:password@]/path[?db=database]`, of which `unix:/path` is the short form. No mistake
/// that is reported repeats any part of the URL.
struct StoreURL: Equatable {
  /// The default port of Redis.
  static let defaultPort = 6379
  /// The largest possible number of a database: Redis stores it in a C int.
  static let largestDatabase = Int(Int32.max)

  let address: SocketAddress
  let username: String?
  let password: Secret?
  let database: Int
  /// Whether the URL names the database, even if it is 0.
  let namesDatabase: Bool
  /// Whether the scheme is `rediss`.
  let usesTLS: Bool

  /// Reads a URL as it is in the file.
  ///
  /// `${NAME}` inside it is replaced after the URL has been split, so that a password in a variable may have any
  /// characters. A URL that begins with a variable can only be split after it has been replaced.
  init(_ raw: String, expansion: EnvironmentExpansion) throws(ValueMistake) {
    if raw.hasPrefix("${") {
      let parser = Parser { (part) throws(ValueMistake) in try EnvironmentExpansion.decodePercents(part) }
      self = try parser.parse(try expansion.expand(raw))
    } else {
      let parser = Parser { (part) throws(ValueMistake) in try expansion.expandDecodingPercents(part) }
      self = try parser.parse(raw)
    }
  }

  private init(
    address: SocketAddress,
    login: (user: String?, password: Secret?),
    database: Int?,
    usesTLS: Bool = false
  ) {
    self.address = address
    username = login.user
    password = login.password
    self.database = database ?? 0
    namesDatabase = database != nil
    self.usesTLS = usesTLS
  }
}

extension StoreURL {
  /// Splits a URL. `decode` returns the text that a part of it stands for.
  private struct Parser {
    let decode: (Substring) throws(ValueMistake) -> String

    func parse(_ url: String) throws(ValueMistake) -> StoreURL {
      guard let colon = url.firstIndex(of: ":") else { throw Self.wrongScheme }
      let rest = url[url.index(after: colon)...]
      switch url[..<colon].lowercased() {
      case "redis", "rediss":
        guard rest.hasPrefix("//") else { throw Self.wrongScheme }
        return try parseRedis(rest.dropFirst(2), usesTLS: url[..<colon].lowercased() == "rediss")
      case "unix": return try parseUnix(rest)
      case "valkeys": throw ValueMistake("TLS to a store is written rediss://, for Valkey as well")
      case "sentinel", "redis-sentinel", "redis+sentinel":
        throw ValueMistake(
          "Sentinel has a map of its own in place of url: sentinel: { master: NAME, nodes: [host:port, …] }"
        )
      case "redis-cluster", "redis+cluster", "cluster": throw ValueMistake("Redis Cluster is not supported yet")
      default: throw Self.wrongScheme
      }
    }

    private static let wrongScheme = ValueMistake("a store's URL has to begin with redis://, rediss:// or unix://")
    private static let misplacedAt = ValueMistake(
      "an @ behind the host; write / ? # @ : and % in a password percent-encoded, or use password_file"
    )

    private func parseRedis(_ text: Substring, usesTLS: Bool) throws(ValueMistake) -> StoreURL {
      let authorityEnd = text.firstIndex { "/?#".contains($0) } ?? text.endIndex
      let tail = text[authorityEnd...]
      guard !tail.contains("@") else { throw Self.misplacedAt }
      let (login, host) = try splitLogin(text[..<authorityEnd])
      let address = try SocketAddress.tcp(
        authority: try decode(host),
        defaultPort: StoreURL.defaultPort,
        ports: 1...65535
      )
      guard !tail.contains("?"), !tail.contains("#") else {
        let scheme = usesTLS ? "rediss" : "redis"
        throw ValueMistake("a \(scheme):// URL ends with the database, such as /1; no ? or # may follow")
      }
      let database = try database(tail.dropFirst(), mayBeEmpty: true)
      return StoreURL(address: address, login: login, database: database, usesTLS: usesTLS)
    }

    private func parseUnix(_ text: Substring) throws(ValueMistake) -> StoreURL {
      var login: (user: String?, password: Secret?) = (nil, nil)
      var pathAndQuery = text
      if text.hasPrefix("//") {
        let afterSlashes = text.dropFirst(2)
        let authorityEnd = afterSlashes.firstIndex(of: "/") ?? afterSlashes.endIndex
        let (found, host) = try splitLogin(afterSlashes[..<authorityEnd])
        guard host.isEmpty else {
          throw ValueMistake("a unix:// URL names no host, so that it has three slashes: unix:///path?db=0")
        }
        login = found
        pathAndQuery = afterSlashes[authorityEnd...]
      }
      let pathEnd = pathAndQuery.firstIndex { "?#".contains($0) } ?? pathAndQuery.endIndex
      let address = try SocketAddress.unix(absolutePath: try decode(pathAndQuery[..<pathEnd]))
      var database: Int?
      let query = pathAndQuery[pathEnd...]
      if !query.isEmpty {
        guard query.hasPrefix("?db=") else {
          throw ValueMistake("behind the path of a unix:// URL only ?db= with the database may follow")
        }
        database = try self.database(query.dropFirst("?db=".count), mayBeEmpty: false)
      }
      return StoreURL(address: address, login: login, database: database)
    }

    /// Splits `user:password@host` at the last `@` and the first `:` before it.
    private func splitLogin(
      _ authority: Substring
    ) throws(ValueMistake) -> (login: (user: String?, password: Secret?), host: Substring) {
      guard let at = authority.lastIndex(of: "@") else { return ((nil, nil), authority) }
      let login = authority[..<at]
      let host = authority[authority.index(after: at)...]
      guard let colon = login.firstIndex(of: ":") else {
        let user = try decode(login)
        guard !user.isEmpty else { throw ValueMistake("nothing stands before the @") }
        return ((user, nil), host)
      }
      let user = try decode(login[..<colon])
      let password = try decode(login[login.index(after: colon)...])
      guard !password.isEmpty else { throw ValueMistake("the password in the URL is empty") }
      return ((user.isEmpty ? nil : user, Secret(password)), host)
    }

    private func database(_ text: Substring, mayBeEmpty: Bool) throws(ValueMistake) -> Int? {
      let decoded = try decode(text)
      if decoded.isEmpty, mayBeEmpty { return nil }
      guard let number = ScalarValues.integer(decoded), number <= StoreURL.largestDatabase else {
        throw ValueMistake("the database has to be a number, such as redis://host:6379/1 or unix:///path?db=1")
      }
      return number
    }
  }
}
