import TestSupport
import Testing

@Suite("Fallback reads, over the wire")
struct FallbackTests {
  /// Reads of the keys that `fill` writes, with what a store that has them answers.
  static let reads: [(command: [String], reply: RESPReply)] = [
    (["GET", "string"], .text("hello")),
    (["GETRANGE", "string", "0", "1"], .text("he")),
    (["SUBSTR", "string", "0", "1"], .text("he")),
    (["STRLEN", "string"], .integer(5)),
    (["EXISTS", "string"], .integer(1)),
    (["TYPE", "string"], .simple("string")),
    (["TTL", "string"], .integer(-1)),
    (["PTTL", "string"], .integer(-1)),
    (["EXPIRETIME", "string"], .integer(-1)),
    (["GETBIT", "string", "1"], .integer(1)),
    (["HGET", "hash", "f"], .text("v")),
    (["HGETALL", "hash"], .array([.text("f"), .text("v")])),
    (["HEXISTS", "hash", "f"], .integer(1)),
    (["HLEN", "hash"], .integer(1)),
    (["HMGET", "hash", "f", "g"], .array([.text("v"), .null])),
    (["HSCAN", "hash", "0"], .array([.text("0"), .array([.text("f"), .text("v")])])),
    (["SISMEMBER", "set", "m"], .integer(1)),
    (["SMISMEMBER", "set", "m", "n"], .array([.integer(1), .integer(0)])),
    (["SMEMBERS", "set"], .array([.text("m")])),
    (["SCARD", "set"], .integer(1)),
    (["SSCAN", "set", "0"], .array([.text("0"), .array([.text("m")])])),
    (["SINTER", "set", "set"], .array([.text("m")])),
    (["LRANGE", "list", "0", "-1"], .array([.text("a"), .text("b")])),
    (["LINDEX", "list", "1"], .text("b")),
    (["LLEN", "list"], .integer(2)),
    (["LPOS", "list", "b"], .integer(1)),
    (["ZSCORE", "zset", "m"], .text("2")),
    (["ZRANK", "zset", "m"], .integer(0)),
    (["ZRANGE", "zset", "0", "-1"], .array([.text("m")])),
    (["ZCARD", "zset"], .integer(1)),
    (["ZMSCORE", "zset", "m", "n"], .array([.text("2"), .null])),
    (["ZSCAN", "zset", "0"], .array([.text("0"), .array([.text("m"), .text("2")])])),
    (["XLEN", "stream"], .integer(1)),
    (["PFCOUNT", "hll"], .integer(1)),
  ]

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `what only the secondary has is answered, counted and logged, once each`(state: MigrationState) throws {
    let deployment = try Deployment(state, instance: ["event_rate_limit: 10000"])
    try fill(deployment.secondary)
    let client = try deployment.client()
    for (command, reply) in Self.reads {
      #expect(try client.command(command) == reply, "\(command)")
    }
    let metrics = try deployment.sidecar.metrics()
    for (command, _) in Self.reads {
      let labels = ["command": command[0].lowercased(), "instance_name": "sessions"]
      #expect(metrics[MultiStoreNames.readFallback, labels] == 1, "\(command)")
    }
    #expect(metrics.sum("multistore_true_misses_total") == 0)
    try deployment.finish()
    let events = deployment.events(MultiStoreNames.readFromPrimaryError)
    #expect(events.compactMap { $0["extra.command_name"]?.string } == Self.reads.map { $0.command[0].lowercased() })
    let message = "Value not found on the redis primary store. Read from the redis secondary store successful."
    #expect(events.allSatisfy { $0.message == message && $0["extra.instance_name"]?.string == "sessions" })
    #expect(!deployment.sidecar.log.text.contains("hello") && !deployment.sidecar.log.text.contains("\"string\""))
  }

  @Test func `what the primary has is its answer, and the secondary is not asked`() throws {
    let deployment = try Deployment(.dual)
    try fill(deployment.primary)
    let client = try deployment.client()
    for (command, reply) in Self.reads where !["HMGET", "ZMSCORE"].contains(command[0]) {
      #expect(try client.command(command) == reply, "\(command)")
    }
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics.sum("multistore_fallback_reads_total") == 0)
    #expect(metrics.sum(MultiStoreNames.readFallback) == 0)
  }

  @Test func `what both lack is an ordinary miss: counted apart, and no event`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    for (command, _) in Self.reads {
      let absent = try deployment.secondary.client().command(command)
      #expect(try client.command(command) == absent, "\(command)")
    }
    #expect(try client.command("MGET", "a", "b") == .array([.null, .null]))
    let metrics = try deployment.sidecar.metrics()
    #expect(metrics.sum("multistore_true_misses_total") == Double(Self.reads.count + 1))
    #expect(metrics.sum(MultiStoreNames.readFallback) == 0)
    try deployment.finish()
    #expect(deployment.events(MultiStoreNames.readFromPrimaryError).isEmpty)
  }

  @Test func `of many values only the missing ones are asked of the secondary`() throws {
    let deployment = try Deployment(.dual)
    try deployment.primary.client().command("MSET", "a", "new-a", "c", "new-c")
    try deployment.secondary.client().command("MSET", "a", "old-a", "b", "old-b", "c", "old-c")
    try deployment.primary.client().command("HSET", "h", "x", "new-x")
    try deployment.secondary.client().command("HSET", "h", "x", "old-x", "y", "old-y")
    try deployment.primary.client().command("ZADD", "z", "1", "m")
    try deployment.secondary.client().command("ZADD", "z", "5", "m", "6", "n")
    let client = try deployment.client()
    let values = try client.command("MGET", "a", "b", "none", "c", "b")
    #expect(values == .array([.text("new-a"), .text("old-b"), .null, .text("new-c"), .text("old-b")]))
    #expect(try client.command("HMGET", "h", "z", "y", "x") == .array([.null, .text("old-y"), .text("new-x")]))
    #expect(try client.command("ZMSCORE", "z", "n", "m") == .array([.text("6"), .text("1")]))
    for command in ["mget", "hmget", "zmscore"] {
      #expect(try deployment.metric(MultiStoreNames.readFallback, ["command": command]) == 1)
    }
    // Nothing to fill: a true miss for the elements, and no fallback.
    #expect(try client.command("MGET", "a", "none") == .array([.text("new-a"), .null]))
    #expect(try deployment.metric(MultiStoreNames.readFallback, ["command": "mget"]) == 1)
  }

  /// The secondary stands still, so that the writes are in flight when the primary is asked.
  @Test func `what is just being written is no fallback, and what was there before is one`() throws {
    let deployment = try Deployment(.dual)
    try deployment.secondary.client().expect(["SET", "old", "1"], .ok)
    let (writer, reader) = (try deployment.client(), try deployment.client())
    deployment.secondary.pause()
    defer { deployment.secondary.resume() }
    try writer.send("MSET new 1 newer 2\r\n")
    // When other clients have been answered, the sidecar has sent the writes.
    for _ in 0..<2 { try deployment.client().expect(["PING"], .simple("PONG")) }
    try reader.send("GET new\r\n")
    try deployment.waitForMetric("multistore_fallback_reads_total", ["reason": "miss"], 1)
    let others = [try deployment.client(), try deployment.client()]
    try others[0].send("MGET new newer nothing\r\n")
    try others[1].send("GET old\r\n")
    try deployment.waitForMetric("multistore_fallback_reads_total", ["reason": "miss"], 3)
    deployment.secondary.resume()
    #expect(try writer.readReply() == .ok)
    #expect(try reader.readReply() == .text("1"))
    #expect(try others[0].readReply() == .array([.text("1"), .text("2"), .null]))
    #expect(try others[1].readReply() == .text("1"))
    try deployment.waitForMetric("multistore_overtaken_reads_total", [:], 2)
    let fallbacks = "gitlab_redis_multi_store_read_fallback_total"
    try deployment.waitForMetric(fallbacks, ["command": "get"], 1)
    #expect(try deployment.metric(fallbacks, ["command": "mget"]) == 0)
  }

  @Test func `with the primary down the secondary answers, and nobody sees an error`() throws {
    let deployment = try Deployment(.dual, instance: ["event_rate_limit: 1000"])
    try deployment.secondary.client().command("MSET", "k", "old", "n", "1")
    let client = try deployment.client()
    #expect(try client.command("GET", "k") == .text("old"))
    deployment.primary.kill()
    for _ in 0..<20 {
      #expect(try client.command("GET", "k") == .text("old"))
      #expect(try client.command("GET", "none") == .null)
      #expect(try client.command("MGET", "k", "none") == .array([.text("old"), .null]))
    }
    #expect(try client.command("INCR", "n") == .integer(2))
    try deployment.sidecar.waitForEvent("event of the failed read") {
      $0.multiStoreMessage == "Failed to read from the redis primary_store."
    }
    // A failure is not a miss: nothing that the primary "really lacked".
    #expect(try deployment.metric(MultiStoreNames.readFallback, ["command": "get"]) == 1)
    #expect(try deployment.metric("multistore_fallback_reads_total", ["reason": "error"]) ?? 0 >= 60)
  }

  @Test func `keys that a failed copy left behind are not read from that store`() throws {
    // They stay stale for as long as this looks at them.
    let deployment = try Deployment(.dual, instance: ["key_work_rate: 0"])
    let client = try deployment.client()
    try deployment.primary.client().command("CONFIG", "SET", "maxmemory", "1")
    #expect(try client.command("SET", "k", "new") == .ok)
    #expect(try client.command("HSET", "h", "f", "new") == .integer(1))
    // The store takes writes again, and got an old value from somewhere.
    try deployment.primary.client().command("CONFIG", "SET", "maxmemory", "0")
    try deployment.primary.client().command("SET", "k", "stale")
    try deployment.primary.client().command("HSET", "h", "f", "stale")
    #expect(try client.command("GET", "k") == .text("new"))
    #expect(try client.command("HGET", "h", "f") == .text("new"))
    #expect(try client.command("MGET", "other", "k").elements?.last == .text("new"))
    #expect(try deployment.metric("multistore_stale_reads_avoided_total", ["store": "primary"]) == 3)
    #expect(try deployment.metric(MultiStoreNames.readFallback, ["command": "get"]) == 0)
  }

  @Test func `a key deleted on the new default store does not come back from the old one`() throws {
    let deployment = try Deployment(.dualPrimary)
    let client = try deployment.client()
    #expect(try client.command("SET", "session", "token") == .ok)
    try deployment.secondary.client().command("CONFIG", "SET", "min-replicas-to-write", "1")
    #expect(try client.command("DEL", "session") == .integer(1))
    #expect(try deployment.secondary.client().command("GET", "session") == .text("token"))
    #expect(try client.command("GET", "session") == .null)
    #expect(try client.command("MGET", "session", "none") == .array([.null, .null]))
    #expect(try client.command("EXISTS", "session") == .integer(0))
  }

  /// Commands that make one answer of the sets, sorted sets, sketches and strings `x1` and `x2`.
  private static let merging: [[String]] = [
    ["SUNION", "s1", "s2"], ["SDIFF", "s1", "s2"], ["SINTER", "s1", "s2"], ["SINTERCARD", "2", "s1", "s2"],
    ["ZUNION", "2", "z1", "z2", "WITHSCORES"], ["ZDIFF", "2", "z1", "z2"], ["ZINTER", "2", "z1", "z2"],
    ["ZINTERCARD", "2", "z1", "z2"], ["PFCOUNT", "p1", "p2"], ["EXISTS", "s1", "s2", "s1"], ["TOUCH", "s1", "s2"],
    ["LCS", "c1", "c2"], ["XREAD", "STREAMS", "x1", "x2", "0", "0"],
  ]

  private static let merged: [[String]] = [
    ["SADD", "s1", "a", "b"], ["SADD", "s2", "b", "c"], ["ZADD", "z1", "1", "a", "2", "b"], ["ZADD", "z2", "3", "b"],
    ["PFADD", "p1", "a"], ["PFADD", "p2", "b"], ["SET", "c1", "common"], ["SET", "c2", "command"],
    ["XADD", "x1", "1-1", "f", "v"], ["XADD", "x2", "1-1", "f", "v"],
  ]

  @Test func `a key that the primary lacks is not hidden behind those that it has`() throws {
    let deployment = try Deployment(.dualPrimary)
    let (old, new) = (try deployment.secondary.client(), try deployment.primary.client())
    for command in Self.merged {
      _ = try old.command(command)
      if command[1].hasSuffix("1") { _ = try new.command(command) }
    }
    let client = try deployment.client()
    for command in Self.merging { #expect(try client.command(command) == old.command(command), "\(command)") }
    for command in Self.merging {
      let labels = ["command": command[0].lowercased()]
      #expect(try deployment.metric(MultiStoreNames.readFallback, labels) == 1, "\(command)")
    }
    // With all keys there, its answer is the truth even where it is empty, and different from the secondary's.
    for command in Self.merged where command[1].hasSuffix("2") { _ = try new.command(command) }
    try new.command("SREM", "s1", "b")
    #expect(try client.command("SINTER", "s1", "s2") == .array([]))
    for command in Self.merging { #expect(try client.command(command) == new.command(command), "\(command)") }
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.readFallback) == Double(Self.merging.count))
  }

  private func fill(_ store: RedisServer) throws {
    let client = try store.client()
    for command in [
      ["SET", "string", "hello"], ["HSET", "hash", "f", "v"], ["SADD", "set", "m"], ["RPUSH", "list", "a", "b"],
      ["ZADD", "zset", "2", "m"], ["XADD", "stream", "1-1", "f", "v"], ["PFADD", "hll", "x"],
    ] {
      try expectNoError(client.command(command))
    }
  }
}
