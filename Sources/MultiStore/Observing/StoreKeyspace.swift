/// The keys in one store's database: the server's own figures, and a sample of keys.
public struct StoreKeyspace: Sendable, Equatable {
  /// The number of keys in the database.
  public let keys: Int
  /// The number of keys in the other databases that the instance's clients may select.
  public internal(set) var keysElsewhere = 0
  /// The number of keys that have a time to live.
  public let expiringKeys: Int
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
  /// Reads the text of `INFO keyspace`: a heading, and for each database that has keys a line such as
  /// `db0:keys=3,expires=1,avg_ttl=2000`. Newer servers add fields at the end.
  ///
  /// - Returns: nil for a text that is something else.
  init?(info: String, database: Int) {
    let lines = info.split(whereSeparator: \.isNewline)
    guard lines.contains("# Keyspace") else { return nil }
    let prefix = "db\(database):"
    guard let line = lines.first(where: { $0.hasPrefix(prefix) }) else {
      self.init(keys: 0, expiringKeys: 0, averageTTLMilliseconds: nil)
      return
    }
    var fields: [Substring: Int64] = [:]
    for field in line.dropFirst(prefix.count).split(separator: ",") {
      let parts = field.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = Int64(parts[1]) }
    }
    guard let keys = fields["keys"], let expiring = fields["expires"] else { return nil }
    // The server samples too, and reports 0 before it has done so.
    let average = fields["avg_ttl"].flatMap { $0 > 0 ? $0 : nil }
    self.init(
      keys: max(0, Int(clamping: keys)),
      expiringKeys: max(0, Int(clamping: expiring)),
      averageTTLMilliseconds: average
    )
  }

  /// Reads the number of keys of each database that has some; nil for a text that is something else.
  static func databases(info: String) -> [Int: Int]? {
    let lines = info.split(whereSeparator: \.isNewline)
    guard lines.contains("# Keyspace") else { return nil }
    var counts: [Int: Int] = [:]
    for line in lines where line.hasPrefix("db") {
      let parts = line.dropFirst(2).split(separator: ":", maxSplits: 1)
      guard parts.count == 2, let number = Int(parts[0]) else { continue }
      counts[number] = StoreKeyspace(info: info, database: number)?.keys
    }
    return counts
  }
}
