internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// Keys that move to a default store which refuses the other one's dumps.
@Suite("Copies by contents to the default store")
struct ContentsCopyTests {
  private final class Waiter: KeyCopyWaiter {
    private(set) var copy: KeyCopy?

    func keyCopyDidFinish(_ copy: KeyCopy) { self.copy = copy }
  }

  /// The third state, in which keys that the default store lacks move there.
  private func instance() throws -> Instance {
    let instance = try Instance(primaryAsDefault: true)
    instance.database.primary?.server.refusesDumps = true
    return instance
  }

  /// Moves the key `k`, and returns the outcome's name.
  private func bring(_ instance: Instance) throws -> String {
    let waiter = Waiter()
    _ = instance.database.bring(Array("k".utf8), .copyIfAbsent, afterWrites: true, for: waiter)
    try instance.run { waiter.copy != nil }
    let outcome = try #require(waiter.copy?.outcome)
    return "\(outcome)".prefix { $0.isLetter }.description
  }

  @Test(arguments: [
    "SET k 41", "RPUSH k a b a", "SADD k a b 1", "SADD k 1 2 3", "HSET k f 1 g 2", "ZADD k 1 a inf b -2.5 c",
    "XADD k 5-1 f v g w", "PFADD k a b c", "GEOADD k 3 4 here",
  ])
  func `a key of each type arrives as it is`(line: String) throws {
    let instance = try instance()
    try instance.secondary.command(words(line))
    try instance.secondary.command("PEXPIRE", "k", "1234567")
    #expect(try bring(instance) == "stored")
    for question in [["TYPE", "k"], ["DEBUG", "DIGEST-VALUE", "k"], ["PEXPIRETIME", "k"]] {
      #expect(try instance.primary.command(question) == instance.secondary.command(question))
    }
  }

  @Test func `a key of many elements arrives whole`() throws {
    let instance = try instance()
    try instance.secondary.command(["RPUSH", "k"] + (0..<20_000).map(String.init))
    #expect(try bring(instance) == "stored")
    let question = ["DEBUG", "DIGEST-VALUE", "k"]
    #expect(try instance.primary.command(question) == instance.secondary.command(question))
  }

  @Test func `a key that no store has is not moved, and no fallback is counted`() throws {
    let instance = try instance()
    #expect(try bring(instance) == "missing")
    #expect(try instance.execute("INCR k") == ":1|")
    #expect(try instance.execute("INCR k") == ":2|")
    #expect(instance.count(MultiStoreMetrics.readFallback) ?? 0 == 0)
    let statistics = try instance.primary.command("INFO", "commandstats").string ?? ""
    #expect(!statistics.contains("cmdstat_del:"))
  }

  /// Another sidecar may have moved the key in between, and clients may have changed it there.
  @Test func `a key that the default store has by then stays as it is there`() throws {
    let instance = try instance()
    try instance.secondary.command("SET", "k", "100")
    try instance.primary.command("SET", "k", "101")
    #expect(try bring(instance) == "unneeded")
    #expect(try instance.primary.command("GET", "k") == .text("101"))
  }

  @Test func `nothing is left of a key that does not fit`() throws {
    let instance = try instance()
    // More fields than a script can pass to a command.
    let fields = (0..<10_000).flatMap { ["f\($0)", "v"] }
    try instance.secondary.command(["XADD", "k", "5-1", "f", "v"])
    try instance.secondary.command(["XADD", "k", "5-2"] + fields)
    #expect(try bring(instance) == "failed")
    #expect(try instance.primary.command("EXISTS", "k").integer == 0)
  }
}
