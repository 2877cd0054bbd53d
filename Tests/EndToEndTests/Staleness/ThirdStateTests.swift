import TestSupport
import Testing

/// Keys that the old store alone has, while the new one is the default and both get what is written.
@Suite("The third state makes no fragments")
struct ThirdStateTests {
  private static let commands: [(setup: [String], command: [String], reply: RESPReply)] = [
    (["SET", "incr", "101"], ["INCR", "incr"], .integer(102)),
    (["HSET", "hset", "f", "1", "g", "2"], ["HSET", "hset", "g", "3"], .integer(0)),
    (["RPUSH", "lpush", "a", "b"], ["LPUSH", "lpush", "z"], .integer(3)),
    (["ZADD", "zincrby", "1.5", "m"], ["ZINCRBY", "zincrby", "2", "m"], .text("3.5")),
    (["SET", "incrbyfloat", "1.5"], ["INCRBYFLOAT", "incrbyfloat", "0.25"], .text("1.75")),
    (["SET", "expire", "v"], ["EXPIRE", "expire", "100"], .integer(1)),
    (["SET", "setrange", "abc"], ["SETRANGE", "setrange", "1", "x"], .integer(3)),
    (["SET", "getdel", "v"], ["GETDEL", "getdel"], .text("v")),
    (["SET", "set", "v"], ["SET", "set", "w", "NX"], .null),
    (["SADD", "smove", "a", "b"], ["SMOVE", "smove", "smoved", "a"], .integer(1)),
    (["SET", "eval", "7"], ["EVAL", "return redis.call('INCR', KEYS[1])", "1", "eval"], .integer(8)),
    (["SET", "eval_ro", "7"], ["EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "eval_ro"], .text("7")),
    (["RPUSH", "blpop", "a", "b"], ["BLPOP", "blpop", "5"], .array([.text("blpop"), .text("a")])),
    (["RPUSH", "xread", "a"], ["LPUSHX", "xread", "b"], .integer(2)),
    (["SET", "type", "v"], ["HSETNX", "type", "f", "v"], .error(wrongType)),
  ]

  private static let wrongType = "WRONGTYPE Operation against a key holding the wrong kind of value"

  private func expectNoFragment(_ deployment: Deployment) throws {
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    // With the default store's acknowledgement, copies may still be on their way.
    try eventually("the copies are there") {
      try StoreComparison.difference(old: old, new: new, isComplete: true) == nil
    }
    #expect(try deployment.metric("multistore_copy_failures_total", ["store": "primary"]) ?? 0 == 0)
  }

  @Test(arguments: ["both", "default_store"])
  func `a command that depends on a key has it moved first, and counts a fallback`(acknowledgement: String) throws {
    let deployment = try Deployment(
      .dualPrimary,
      instance: ["write_acknowledgement: \(acknowledgement)", "event_rate_limit: 10000"]
    )
    let (client, old) = (try deployment.client(), try deployment.secondary.client())
    for (setup, command, reply) in Self.commands {
      try old.command(setup)
      #expect(try client.command(command) == reply, "\(command)")
      let labels = ["command": command[0].lowercased()]
      try deployment.waitForMetric(MultiStoreNames.readFallback, labels, 1)
    }
    try expectNoFragment(deployment)
    try deployment.finish()
    #expect(deployment.events(MultiStoreNames.readFromPrimaryError).count == Self.commands.count)
  }

  @Test func `a pipeline and a transaction have their keys moved first`() throws {
    let deployment = try Deployment(.dualPrimary)
    let (client, old) = (try deployment.client(), try deployment.secondary.client())
    try old.command("MSET", "a", "1", "b", "2", "c", "3", "read", "4")
    #expect(
      try client.pipeline([["INCR", "a"], ["GET", "read"], ["APPEND", "b", "x"], ["INCR", "new"]])
        == [.integer(2), .text("4"), .integer(2), .integer(1)]
    )
    try client.expect(["WATCH", "c"], .ok)
    try client.expect(["GET", "c"], .text("3"))
    try client.expect(["MULTI"], .ok)
    try client.expect(["INCR", "c"], .simple("QUEUED"))
    try client.expect(["EXEC"], .array([.integer(4)]))
    try client.command("DEL", "read")
    try expectNoFragment(deployment)
  }

  @Test func `clients that meet at one key lose nothing`() throws {
    let deployment = try Deployment(.dualPrimary)
    let old = try deployment.secondary.client()
    let (keys, rounds, threads) = (20, 10, 4)
    for key in 0..<keys { try old.command("SET", "n\(key)", "1000") }
    try inThreads(threads) { thread in
      let client = try deployment.client()
      for round in 0..<rounds {
        for key in 0..<keys {
          let name = "n\(key)"
          switch (thread + round) % 3 {
          case 0: try client.command("INCR", name)
          case 1: _ = try client.pipeline([["INCR", name], ["SET", "other\(thread)", "v"]])
          default: try client.command("EVAL", "return redis.call('INCR', KEYS[1])", "1", name)
          }
        }
      }
    }
    let client = try deployment.client()
    for key in 0..<keys { try client.expect(["GET", "n\(key)"], .text("\(1000 + rounds * threads)")) }
    try expectNoFragment(deployment)
  }

  /// The pipeline is answered before the renamed key is removed from the old store.
  @Test(arguments: ["both", "default_store"])
  func `a key that was renamed away does not come back`(acknowledgement: String) throws {
    let deployment = try Deployment(.dualPrimary, instance: ["write_acknowledgement: \(acknowledgement)"])
    let client = try deployment.client()
    let pipelines = [
      [["SET", "o", "1"], ["RENAME", "a", "b"], ["EVAL", "return redis.call('GET', KEYS[1])", "1", "a"]],
      [["RENAME", "a", "b"], ["INCR", "n"], ["GETDEL", "a"]],
    ]
    for round in 0..<50 {
      for pipeline in pipelines {
        try client.expect(["SET", "a", "\(round)"], .ok)
        #expect(try client.pipeline(pipeline).last == .null)
        try client.expect(["GET", "b"], .text("\(round)"))
      }
    }
    // A read may find what the old store had before.
    try eventually("it is gone from the old store") { try client.command("EXISTS", "a") == .integer(0) }
    try expectNoFragment(deployment)
  }

  @Test func `without the old store the new one's miss is the truth`() throws {
    let deployment = try Deployment(.dualPrimary)
    let client = try deployment.client()
    deployment.secondary.kill()
    try deployment.waitForMetric("multistore_store_up", ["store": "secondary"], 0)
    try client.expect(["INCR", "n"], .integer(1))
    try client.expect(["RPUSH", "l", "a"], .integer(1))
    try client.expect(["INCR", "n"], .integer(2))
    let event = try deployment.sidecar.waitForEvent {
      $0.message == "Store unavailable" && $0["store"]?.string == "secondary"
    }
    #expect(event["hint"]?.string?.hasPrefix("keys that it alone has count as absent") == true)
  }

  @Test func `a busy old store keeps no write from the new one`() throws {
    let deployment = try Deployment(.dualPrimary)
    let client = try deployment.client()
    let old = try deployment.secondary.client()
    try old.expect(["CONFIG", "SET", "lua-time-limit", "50"], .ok)
    try deployment.secondary.client().send(RESPClient.encode(["EVAL", "while true do end", "0"]))
    try eventually("the old store is busy") { try old.command("PING").errorText?.hasPrefix("BUSY") == true }
    for (command, expected) in [
      (["INCR", "n"], RESPReply.integer(1)), (["RPUSH", "l", "a"], .integer(1)), (["SETNX", "s", "v"], .integer(1)),
      (["HSET", "h", "f", "v"], .integer(1)), (["LPOP", "nothing"], .null),
    ] { #expect(try client.command(command) == expected, "\(command)") }
    try old.expect(["SCRIPT", "KILL"], .ok)
  }
}
