import TestSupport

/// What the old store has from before the migration, and nobody writes any more.
enum OldData {
  /// A string that clients read.
  static let string = (key: "static:string", value: "from before")
  /// A key that expires while the new store warms up.
  static let expiring = "static:expiring"
  private static let expiringMilliseconds = 25_000

  /// Puts it there.
  static func write(to store: RESPClient) throws {
    try store.expect(["SET", string.key, string.value], .ok)
    try store.expect(["SET", expiring, "soon gone", "PX", "\(expiringMilliseconds)"], .ok)
    let commands: [[String]] = [
      ["SET", "static: spaces and \"quotes\"\n", "v"], ["RPUSH", "static:list", "a", "b", "a"],
      ["SADD", "static:set", "a", "b"], ["SADD", "static:numbers", "1", "2", "3"],
      ["HSET", "static:hash", "f", "v"], ["ZADD", "static:zset", "1.5", "a", "2", "b"],
      ["XADD", "static:stream", "1-1", "f", "v"], ["XGROUP", "CREATE", "static:stream", "readers", "0"],
      ["HSET", "static:large"] + (0..<600).flatMap { ["field-\($0)", "value-\($0)"] },
    ]
    for reply in try store.pipeline(commands) {
      guard reply.errorText == nil else { throw TestSupportError(.malformed, "\(reply)") }
    }
    // No text: neither key nor value.
    try store.send(
      RESPClient.encode([Array("SET".utf8), Array("static:".utf8) + [0, 255, 13, 10], [0, 1, 254, 13, 10]])
    )
    guard try store.readReply() == .ok else { throw TestSupportError(.malformed, "SET of bytes failed") }
  }

  /// How the stores differ in it; nil if each key is on both, with the same value and time to live.
  static func difference(old: RESPClient, new: RESPClient) throws -> String? {
    let keys = try old.command("KEYS", "static:*").elements ?? []
    guard keys.count == 10 else { return "the old store has \(keys)" }
    for case .bulk(let key?) in keys {
      for command in [["TYPE"], ["DEBUG", "DIGEST-VALUE"], ["PEXPIRETIME"]] {
        let replies = try [old, new].map { try $0.command(bytes: command.map { Array($0.utf8) } + [key]) }
        guard replies[0] == replies[1] else {
          let name = String(decoding: key, as: UTF8.self)
          return "\(command[0]) of \(name): \(replies[0]), and \(replies[1]) on the new store"
        }
      }
    }
    return nil
  }
}
