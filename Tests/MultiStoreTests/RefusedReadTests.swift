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
}
