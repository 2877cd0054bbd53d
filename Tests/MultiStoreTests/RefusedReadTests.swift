internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Errors that one of the stores answers to a read.
@Suite("Errors of reads")
struct RefusedReadTests {
  /// A server takes SORT for a write, even without STORE: it refuses it when it is full, read-only or lacks replicas.
  private static let refusals = [["maxmemory", "1"], ["min-replicas-to-write", "1"]]

  @Test(arguments: refusals, [true, false])
  func `a store that refuses writes does not differ in SORT`(setting: [String], primaryAsDefault: Bool) throws {
    let instance = try Instance(primaryAsDefault: primaryAsDefault, preparedBy: ["RPUSH l 2 1", "SET s v"])
    let other = instance.client(primaryAsDefault ? .secondary : .primary)
    #expect(try other.command(["CONFIG", "SET"] + setting) == .ok)
    #expect(try instance.execute("SORT l", "GET s", as: .pipelined) == "*2|$1|1|$1|2|$1|v|")
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
    let reply = try instance.execute("SORT s")
    #expect(reply.hasPrefix("-WRONGTYPE"), "it is the default store's error: \(reply)")
    #expect(try instance.execute("SORT l") == "*2|$1|1|$1|2|")
  }

  /// Only the old store has the key, of another type than the command asks for.
  @Test(arguments: ["HGETALL k", "XLEN k", "SCARD k", "SUNION k none", "SSCAN k 0", "LINDEX k 0"])
  func `a key of another type is no miss`(line: String) throws {
    let instance = try Instance(primaryAsDefault: true)
    #expect(try instance.secondary.command("SET", "k", "v") == .ok)
    #expect(try instance.execute(line).hasPrefix("-WRONGTYPE"))
    #expect(try instance.execute(line, "GET none", as: .pipelined).hasPrefix("-WRONGTYPE"))
    try instance.both("DEL k")
    #expect(try !instance.execute(line).hasPrefix("-"))
  }

  /// Only the old store has the key, with which the command fails.
  @Test(
    arguments: [
      ("HSCAN h 0 MATCH", "-ERR syntax error"), ("SORT words", "-ERR One or more scores can't be converted"),
      ("GEOSEARCH geo FROMMEMBER none BYRADIUS 1 m", "-ERR could not decode requested zset member"),
      ("PFCOUNT s", "-WRONGTYPE Key is not a valid HyperLogLog"), ("HMGET s a b", "-WRONGTYPE"),
      ("GEOPOS s a", "-WRONGTYPE"), ("OBJECT FREQ s", "-ERR An LFU maxmemory policy is not selected"),
    ]
  )
  func `an error of the command is no miss`(line: String, error: String) throws {
    let instance = try Instance(primaryAsDefault: true)
    for command in ["HSET h f v", "RPUSH words a b", "GEOADD geo 1 1 m", "SET s v"] {
      _ = try instance.secondary.command(command.split(separator: " ").map(String.init))
    }
    #expect(try instance.execute(line).hasPrefix(error))
    #expect(try instance.execute(line, "GET none", as: .pipelined).hasPrefix(error))
    let transaction = try instance.execute(line, "GET none", as: .multi)
    #expect(transaction.hasPrefix("*2|" + error), "\(transaction)")
  }

  /// The old store has a string where the new one has a hash.
  @Test func `a field that the new store lacks is a miss whatever the old store has of the key`() throws {
    let instance = try Instance(primaryAsDefault: true)
    #expect(try instance.primary.command("HSET", "k", "a", "1") == .integer(1))
    #expect(try instance.secondary.command("SET", "k", "v") == .ok)
    #expect(try instance.execute("HMGET k a b") == "*2|$1|1|$-1|")
    #expect(try instance.execute("HMGET k a b", "GET none", as: .pipelined) == "*2|$1|1|$-1|$-1|")
  }

  /// The old store can't tell what it has of the key.
  @Test func `a read that the old store may not execute is a miss`() throws {
    let instance = try Instance(primaryAsDefault: true)
    #expect(try instance.secondary.command("SET", "k", "v") == .ok)
    #expect(try instance.secondary.command("ACL", "SETUSER", "default", "-get", "-hmget") == .ok)
    #expect(try instance.execute("GET k") == "$-1|")
    #expect(try instance.execute("HMGET k a") == "*1|$-1|")
    #expect(try instance.execute("GET k", "HMGET k a", as: .pipelined) == "$-1|*1|$-1|")
  }

  @Test(.enabled(if: ValkeyBinary.path != nil, "\(ValkeyBinary.missingReason)"))
  func `a read that the old store does not know is a miss`() throws {
    let instance = try Instance(primaryAsDefault: true, primaryBinary: .valkey)
    #expect(try instance.secondary.command("HSET", "k", "a", "v") == .integer(1))
    let reply = try instance.execute("HTTL k FIELDS 1 a")
    #expect(!reply.hasPrefix("-"), "\(reply)")
    #expect(try instance.execute("HTTL k FIELDS 1 a", "GET none", as: .pipelined) == reply + "$-1|")
  }
}
