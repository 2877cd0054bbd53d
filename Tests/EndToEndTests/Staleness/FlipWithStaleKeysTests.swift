import TestSupport
import Testing

/// The default store moves to one on which keys are stale, and the other one can't be asked for them at that moment.
@Suite("A flip moves no client onto stale keys")
struct FlipWithStaleKeysTests {
  /// The state that the flip leads to.
  struct Target: CustomTestStringConvertible, Sendable {
    let isDual: Bool
    let policy: String

    var testDescription: String { "\(isDual ? "dual" : "single"), \(policy)" }

    static let all = [
      Target(isDual: false, policy: "fallback"), Target(isDual: true, policy: "fallback"),
      Target(isDual: true, policy: "default_store"),
    ]
  }

  /// Gives both stores keys, and the old one alone newer values while dual write is off. The stores' time limits are
  /// longer than either of them is paused.
  private func deployment(_ target: Target) throws -> Deployment {
    let deployment = try Deployment(
      .dual,
      instance: ["read_policy: \(target.policy)", "write_acknowledgement: default_store"],
      stores: "command_timeout: 60s"
    )
    let client = try deployment.client()
    for round in 0..<2 {
      let value = round == 0 ? "10" : "20"
      for name in ["get", "p1", "p2", "tx", "eval", "incr", "watch", "getdel", "set", "del"] {
        try client.expect(["SET", name, value], .ok)
      }
      for name in ["lpop", "blpop"] {
        try client.command("DEL", name)
        try client.command("RPUSH", name, value, "rest")
      }
      try client.command("DEL", "smove")
      try client.command("SADD", "smove", value)
      try client.command("HSET", "hash", "f", value)
      if round == 0 {
        try client.expect(["SET", "free", "0"], .ok)
        try deployment.move(to: .off)
      }
    }
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 14)
    return deployment
  }

  private func flip(_ deployment: Deployment, to target: Target) throws {
    try deployment.sidecar.setFlag(Deployment.defaultFlag, true)
    try deployment.sidecar.waitForEvent { $0.message.hasPrefix("The default store moved while keys were stale") }
    if target.isDual { try deployment.sidecar.setFlag(Deployment.dualFlag, true) }
  }

  /// What a client sends at once, and what it is answered.
  private static let conversations: [(commands: [[String]], replies: [RESPReply])] = [
    ([["GET", "get"]], [.text("20")]),
    ([["GET", "p1"], ["GET", "free"], ["GET", "p2"]], [.text("20"), .text("0"), .text("20")]),
    (
      [["MULTI"], ["GET", "tx"], ["INCR", "tx"], ["EXEC"]],
      [.ok, .simple("QUEUED"), .simple("QUEUED"), .array([.text("20"), .integer(21)])]
    ),
    ([["EVAL", "return redis.call('INCR', KEYS[1])", "1", "eval"]], [.integer(21)]),
    ([["INCR", "incr"]], [.integer(21)]),
    ([["LPOP", "lpop"]], [.text("20")]),
    ([["BLPOP", "blpop", "20"]], [.array([.text("blpop"), .text("20")])]),
    ([["SMOVE", "smove", "moved", "20"], ["SISMEMBER", "smove", "10"]], [.integer(1), .integer(0)]),
    (
      [["WATCH", "watch"], ["GET", "watch"], ["MULTI"], ["SET", "watch", "21"], ["EXEC"]],
      [.ok, .text("20"), .ok, .simple("QUEUED"), .array([.ok])]
    ),
    ([["GETDEL", "getdel"]], [.text("20")]),
    ([["SET", "set", "30"], ["GET", "set"]], [.ok, .text("30")]),
    ([["DEL", "del"], ["EXISTS", "del"]], [.integer(1), .integer(0)]),
    ([["HINCRBY", "hash", "f", "1"]], [.integer(21)]),
  ]

  @Test(arguments: Target.all)
  func `a command that names a stale key waits until that is copied, and nothing else waits`(target: Target) throws {
    let deployment = try deployment(target)
    deployment.secondary.pause()
    try flip(deployment, to: target)
    let clients = try Self.conversations.map { conversation in
      let client = try deployment.client()
      try client.send(conversation.commands.flatMap { RESPClient.encode($0) })
      return client
    }
    let innocent = try deployment.client()
    try innocent.expect(["GET", "free"], .text("0"))
    try innocent.expect(["SET", "free2", "1"], .ok)
    try innocent.expect(["GET", "free2"], .text("1"))
    #expect(try innocent.pipeline([["GET", "free"], ["SET", "free3", "x"]]) == [.text("0"), .ok])
    deployment.secondary.resume()
    for (client, conversation) in zip(clients, Self.conversations) {
      #expect(try client.readReplies(conversation.replies.count) == conversation.replies, "\(conversation.commands)")
    }
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 0)
  }

  @Test(arguments: Target.all)
  func `with the old store dead, what needs a stale key is told so, and what replaces it goes on`(
    target: Target
  ) throws {
    let deployment = try deployment(target)
    deployment.secondary.kill()
    try deployment.waitForMetric("multistore_store_up", ["store": "secondary"], 0)
    try flip(deployment, to: target)
    let client = try deployment.client()
    let refused = [
      ["INCR", "incr"], ["LPOP", "lpop"], ["SMOVE", "smove", "moved", "20"], ["GETDEL", "getdel"],
      ["EVAL", "return redis.call('GET', KEYS[1])", "1", "eval"], ["HGET", "hash", "f"], ["BLPOP", "blpop", "20"],
      ["WATCH", "watch"], ["GET", "get"],
    ]
    for command in refused {
      let text = try client.command(command).errorText ?? ""
      #expect(text.hasPrefix("ERR MultiStore: "), "\(command): \(text)")
      #expect(text.contains("secondary"), "\(command): \(text)")
    }
    let replies = try client.pipeline([["SET", "free2", "1"], ["GET", "p1"], ["GET", "free"], ["INCR", "free2"]])
    #expect(replies[0] == .ok && replies[1].errorText != nil && replies[2...] == [.text("0"), .integer(2)])
    let unwatched = try client.pipeline([["MULTI"], ["SET", "free3", "1"], ["EXEC"]])
    #expect(unwatched.last == .array([.ok]), "a WATCH that was refused watches nothing")
    for isChanged in [false, true] {
      try client.expect(["WATCH", "free3"], .ok)
      #expect(try client.command("WATCH", "watch").errorText != nil)
      if isChanged { try deployment.client().expect(["SET", "free3", "2"], .ok) }
      let watched = try client.pipeline([["MULTI"], ["SET", "free4", "1"], ["EXEC"]])
      #expect(watched.last == .array(isChanged ? nil : [.ok]), "an earlier one stays")
    }
    let transaction = try client.pipeline([["MULTI"], ["INCR", "tx"], ["SET", "free2", "9"], ["EXEC"]])
    #expect(transaction[3].errorText?.hasPrefix("ERR MultiStore: ") == true)
    try client.expect(["GET", "free2"], .text("2"))
    try client.expect(["SET", "set", "30"], .ok)
    try client.expect(["INCR", "set"], .integer(31))
    try client.expect(["DEL", "del"], .integer(1))
    try client.expect(["EXISTS", "del"], .integer(0))
    try client.expect(["MSET", "p1", "1", "p2", "2"], .ok)
    try client.expect(["MGET", "p1", "p2"], .array([.text("1"), .text("2")]))
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 10)
  }
}
