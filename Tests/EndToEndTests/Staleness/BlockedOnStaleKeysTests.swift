import TestSupport
import Testing

/// The default store moves, while commands block, to one on which their keys are stale.
@Suite("A flip moves no blocked command onto stale keys")
struct BlockedOnStaleKeysTests {
  /// A blocking command whose key has an outdated element on the new store and none on the old one.
  struct Case: CustomTestStringConvertible, Sendable {
    let command: [String]
    /// Commands while dual write is on. The store that is the default later keeps the result.
    let outdated: [[String]]
    /// Commands while dual write is off, after which `command` blocks.
    let emptying: [[String]]
    /// Serves the command after the move.
    let cause: [String]
    let reply: RESPReply

    var testDescription: String { command.joined(separator: " ") }

    private static func list(_ command: [String], _ reply: RESPReply) -> Case {
      Case(
        command: command,
        outdated: [["RPUSH", "k", "old1", "old2"], ["RPUSH", "d", "old"]],
        emptying: [["LPOP", "k", "2"], ["DEL", "d"]],
        cause: ["RPUSH", "k", "new"],
        reply: reply
      )
    }

    private static func sortedSet(_ command: [String], _ reply: RESPReply) -> Case {
      Case(
        command: command,
        outdated: [["ZADD", "k", "1", "old"]],
        emptying: [["ZPOPMIN", "k"]],
        cause: ["ZADD", "k", "2", "new"],
        reply: reply
      )
    }

    private static func stream(_ command: [String], _ setUp: [[String]] = []) -> Case {
      Case(
        command: command + ["STREAMS", "k", setUp.isEmpty ? "0-0" : ">"],
        outdated: [["XADD", "k", "1-1", "f", "old"]] + setUp,
        emptying: [["XTRIM", "k", "MAXLEN", "0"]],
        cause: ["XADD", "k", "2-1", "f", "new"],
        reply: .array([.array([.text("k"), .array([.array([.text("2-1"), .array([.text("f"), .text("new")])])])])])
      )
    }

    static let all: [Case] = [
      list(["BLPOP", "none", "k", "0"], .array([.text("k"), .text("new")])),
      list(["BRPOP", "k", "300"], .array([.text("k"), .text("new")])),
      list(["BLMOVE", "k", "d", "LEFT", "RIGHT", "0"], .text("new")),
      list(["BRPOPLPUSH", "k", "d", "0"], .text("new")),
      list(["BLMPOP", "0", "1", "k", "LEFT"], .array([.text("k"), .array([.text("new")])])),
      sortedSet(["BZPOPMIN", "k", "0"], .array([.text("k"), .text("new"), .text("2")])),
      sortedSet(["BZPOPMAX", "k", "300"], .array([.text("k"), .text("new"), .text("2")])),
      sortedSet(
        ["BZMPOP", "0", "1", "k", "MIN"],
        .array([.text("k"), .array([.array([.text("new"), .text("2")])])])
      ),
      stream(["XREAD", "BLOCK", "0"]),
      stream(
        ["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0"],
        [["XGROUP", "CREATE", "k", "g", "0"]]
      ),
    ]
  }

  @Test(arguments: Case.all)
  func `a blocked command moves once its stale keys are copied`(case: Case) throws {
    // Only a command that waits has its keys copied, so that none is copied by chance before the command arrives.
    let deployment = try Deployment(.dual, instance: ["key_work_rate: 0"])
    let client = try deployment.client()
    for command in `case`.outdated { #expect(try client.command(command).errorText == nil, "\(command)") }
    try deployment.move(to: .off)
    for command in `case`.emptying { #expect(try client.command(command).errorText == nil, "\(command)") }
    let blocked = try deployment.client()
    try blocked.send(RESPClient.encode(`case`.command))
    try waitUntilBlocked(on: deployment.secondary)
    try deployment.move(to: .primaryOnly)
    try waitUntilBlocked(on: deployment.primary)
    #expect(try client.command(`case`.cause).errorText == nil)
    #expect(try blocked.readReply() == `case`.reply)
    let isMoved = `case`.reply == .text("new")
    try client.expect(["LRANGE", "d", "0", "-1"], .array(isMoved ? [.text("new")] : []))
    #expect(try blocked.command("PING") == .simple("PONG"))
  }

  /// In the third state a key that only the old store has is moved before a command adds to it.
  @Test func `a blocked command leaves no fragment of its destination in the third state`() throws {
    let deployment = try Deployment(.off)
    let client = try deployment.client()
    try client.expect(["RPUSH", "d", "a", "b"], .integer(2))
    try deployment.move(to: .dual)
    let blocked = try deployment.client()
    try blocked.send(RESPClient.encode(["BLMOVE", "k", "d", "LEFT", "RIGHT", "0"]))
    try waitUntilBlocked(on: deployment.secondary)
    try deployment.move(to: .dualPrimary)
    try waitUntilBlocked(on: deployment.primary)
    try client.expect(["RPUSH", "k", "c"], .integer(1))
    #expect(try blocked.readReply() == .text("c"))
    for store in [deployment.primary, deployment.secondary] {
      try eventually("both stores have the whole list") {
        try store.client().command("LRANGE", "d", "0", "-1") == .array([.text("a"), .text("b"), .text("c")])
      }
    }
  }

  @Test func `a blocked command whose key can't be copied gets an error`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.expect(["RPUSH", "k", "old"], .integer(1))
    try deployment.move(to: .off)
    try client.expect(["LPOP", "k"], .text("old"))
    try client.expect(["SADD", "k", "another type"], .integer(1))
    try client.expect(["DEL", "k"], .integer(1))
    let blocked = try deployment.client()
    try blocked.send(RESPClient.encode(["BLPOP", "k", "0"]))
    try waitUntilBlocked(on: deployment.secondary)
    try deployment.secondary.client().expect(["ACL", "SETUSER", "default", "-dump"], .ok)
    try deployment.move(to: .primaryOnly)
    #expect(try blocked.readReply().errorText?.hasPrefix("ERR MultiStore: a key of the command is outdated") == true)
    try blocked.expect(["SET", "k", "1"], .ok)
    try blocked.expect(["GET", "k"], .text("1"))
  }

  /// Whether dual writes end while the command blocks, or the default store moves after that.
  @Test(arguments: [MigrationState.off, .primaryOnly])
  func `a command that blocks beyond the end of dual writes leaves stale keys behind`(end: MigrationState) throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.expect(["RPUSH", "d", "a"], .integer(1))
    let blocked = try deployment.client()
    try blocked.send(RESPClient.encode(["BLMOVE", "k", "d", "LEFT", "RIGHT", "0"]))
    try waitUntilBlocked(on: deployment.secondary)
    try deployment.move(to: .off)
    if end != .off { try deployment.move(to: end) }
    try waitUntilBlocked(on: deployment.defaultStore(end))
    try client.expect(["RPUSH", "k", "b"], .integer(1))
    #expect(try blocked.readReply() == .text("b"))
    try deployment.sidecar.setFlag(Deployment.dualFlag, true)
    try client.expect(["LRANGE", "d", "0", "-1"], .array([.text("a"), .text("b")]))
    try deployment.sidecar.setFlag(Deployment.defaultFlag, !end.primaryIsDefault)
    try client.expect(["LRANGE", "d", "0", "-1"], .array([.text("a"), .text("b")]))
  }

  private func waitUntilBlocked(on store: RedisServer) throws {
    let client = try store.client()
    try eventually("a client is blocked") {
      try client.command("INFO", "clients").string?.contains("blocked_clients:1") == true
    }
  }
}
