import TestSupport

/// Holds the keys of two stores against each other: type, value and expiry.
enum StoreComparison {
  /// The first difference of the new store to the old one; nil if every key that it has is the same there.
  ///
  /// - Parameters:
  ///   - isComplete: whether a key that only the old store has is a difference too. Otherwise nobody may have written
  ///     it since.
  ///   - toleratedMilliseconds: how far apart the expiry of a key may be on the two stores.
  static func difference(
    old: RESPClient,
    new: RESPClient,
    isComplete: Bool,
    toleratedMilliseconds: Int = 2
  ) throws -> String? {
    let (before, present) = (try names(old), try names(new))
    let additional = present.subtracting(before)
    guard additional.isEmpty else { return "the new store alone has \(additional.sorted())" }
    let missing = before.subtracting(present)
    guard !isComplete || missing.isEmpty else { return "the old store alone has \(missing.sorted())" }
    for key in present.sorted() {
      let types = try [old, new].map { try $0.command("TYPE", key) }
      guard types[0] == types[1] else { return "\(key) is \(types[0]) on the old store and \(types[1]) on the new one" }
      let digests = try [old, new].map { try $0.command("DEBUG", "DIGEST-VALUE", key) }
      guard digests[0] == digests[1] else { return try "\(key): \(contents(key, old)) and \(contents(key, new))" }
      let expiries = try [old, new].map { try $0.command("PEXPIRETIME", key).integer ?? 0 }
      guard abs(expiries[0] - expiries[1]) <= toleratedMilliseconds else { return "\(key) expires at \(expiries)" }
    }
    return nil
  }

  /// Gives the new store half of the keys of the old one.
  static func copyEverySecondKey(from old: RESPClient, to new: RESPClient) throws {
    let keys = try names(old).sorted()
    for key in stride(from: 0, to: keys.count, by: 2).map({ keys[$0] }) {
      guard case .bulk(let dump?) = try old.command("DUMP", key) else { continue }
      let expiry = max(0, try old.command("PEXPIRETIME", key).integer ?? 0)
      let words = ["RESTORE", key, String(expiry)].map { Array($0.utf8) } + [dump, Array("ABSTTL".utf8)]
      guard try new.command(bytes: words) == .ok else { throw TestSupportError(.malformed, "RESTORE of \(key) failed") }
    }
  }

  static func names(_ store: RESPClient) throws -> Set<String> {
    Set(try store.command("KEYS", "*").elements?.compactMap(\.string) ?? [])
  }

  private static func contents(_ key: String, _ store: RESPClient) throws -> String {
    let read: [String]? =
      switch try store.command("TYPE", key).string {
      case "string": ["GET", key]
      case "list": ["LRANGE", key, "0", "-1"]
      case "set": ["SMEMBERS", key]
      case "hash": ["HGETALL", key]
      case "zset": ["ZRANGE", key, "0", "-1", "WITHSCORES"]
      case "stream": ["XINFO", "STREAM", key, "FULL"]
      default: nil
      }
    return try read.map { "\(try store.command($0))" } ?? "nothing"
  }
}
