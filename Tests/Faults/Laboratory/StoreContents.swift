import TestSupport

/// All keys of a store with their values, in one form for each type.
struct StoreContents {
  let values: [String: [String]]

  init(of server: RedisServer) throws {
    let client = try server.client()
    let keys = (try client.command("KEYS", "*").elements ?? []).compactMap(\.string).sorted()
    let types = try client.pipeline(keys.map { ["TYPE", $0] })
    let replies = try client.pipeline(
      zip(keys, types).map { key, type in
        switch type.string {
        case "list": ["LRANGE", key, "0", "-1"]
        case "hash": ["HGETALL", key]
        default: ["GET", key]
        }
      }
    )
    var values: [String: [String]] = [:]
    for (key, (type, reply)) in zip(keys, zip(types, replies)) {
      let words = reply.elements?.compactMap(\.string) ?? [reply.string ?? ""]
      values[key] = [type.string ?? ""] + (type.string == "hash" ? Self.sortedPairs(words) : words)
    }
    self.values = values
  }

  /// The keys that are not the same in both.
  func differingKeys(from other: StoreContents) -> [String] {
    Set(values.keys).union(other.values.keys).filter { values[$0] != other.values[$0] }.sorted()
  }

  private static func sortedPairs(_ words: [String]) -> [String] {
    stride(from: 0, to: words.count - 1, by: 2).map { "\(words[$0])=\(words[$0 + 1])" }.sorted()
  }
}
