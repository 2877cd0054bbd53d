/// The keys in one store's database: the server's own figures, and a sample of keys.
public struct StoreKeyspace: Sendable, Equatable {
  /// The number of keys in the database.
  public let keys: Int
  /// The number of keys in the other databases that the instance's clients may select.
  public internal(set) var keysElsewhere = 0
  /// The number of keys that have a time to live.
  public let expiringKeys: Int
  /// The number of keys that have none.
  var lastingKeys: Int { max(0, keys - expiringKeys) }
  /// The server's estimate of the average time to live of the keys that have one; nil while it has none.
  public let averageTTLMilliseconds: Int64?
  /// The longest remaining time to live of a sampled key; nil if none of them has one.
  public internal(set) var longestTTLMilliseconds: Int64?
  /// The number of keys that were sampled over the last hour. One that was sampled twice counts twice.
  public internal(set) var sampledKeys = 0
  /// The number of sampled keys that have no time to live.
  public internal(set) var sampledKeysWithoutTTL = 0
  /// The time of the last sample, in milliseconds since 1970.
  public internal(set) var sampledAtMilliseconds: Int64 = 0
}

extension StoreKeyspace {
  /// The most keys that a database is taken to have, whatever a server says: sums stay numbers.
  private static let mostKeys: Int64 = 1 << 50
  /// The numbers of databases that a server can have: its own limit is as good as none.
  static let databaseNumbers = 0..<65_536
  /// The longest text that is read, in bytes; that of ten thousand databases has less.
  private static let longestText = 1 << 20

  /// Reads the text of `INFO keyspace`: a heading, and for each database that has keys a line such as
  /// `db0:keys=3,expires=1,avg_ttl=2000`. Newer servers add fields at the end.
  ///
  /// - Returns: nil for a text that is something else.
  init?(info: String, database: Int) {
    guard let found = Self.read(info) else { return nil }
    switch found[database] {
    case nil: self = .empty
    case .some(let keyspace?): self = keyspace
    case .some(nil): return nil
    }
  }

  /// The figures of a database without keys, which servers do not mention.
  static let empty = StoreKeyspace(keys: 0, expiringKeys: 0, averageTTLMilliseconds: nil)

  /// Reads the figures of each database that has keys; nil for a text that is something else.
  static func databases(info: String) -> [Int: StoreKeyspace]? {
    read(info)?.compactMapValues { $0 }
  }

  /// Reads the figures of each database that the text names; nil for one whose line can't be read.
  private static func read(_ info: String) -> [Int: StoreKeyspace?]? {
    guard info.utf8.count <= longestText else { return nil }
    var found: [Int: StoreKeyspace?] = [:]
    var hasHeading = false
    for line in info.split(whereSeparator: \.isNewline) {
      if line == "# Keyspace" { hasHeading = true }
      guard line.hasPrefix("db") else { continue }
      let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let number = Int(parts[0]), databaseNumbers.contains(number) else {
        continue
      }
      found.updateValue(StoreKeyspace(fields: parts[1]), forKey: number)
    }
    return hasHeading ? found : nil
  }

  private init?(fields text: Substring) {
    var fields: [Substring: Int64] = [:]
    for field in text.split(separator: ",") {
      let parts = field.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = Int64(parts[1]) }
    }
    guard let keys = fields["keys"], let expiring = fields["expires"] else { return nil }
    // The server samples too, and reports 0 before it has done so.
    let average = fields["avg_ttl"].flatMap { $0 > 0 ? $0 : nil }
    self.init(
      keys: Int(min(max(0, keys), Self.mostKeys)),
      expiringKeys: Int(min(max(0, expiring), Self.mostKeys)),
      averageTTLMilliseconds: average
    )
  }
}
