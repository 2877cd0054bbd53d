import TestSupport
import Testing

@Suite("Pipelines and transactions, over the wire")
struct PipelineTests {
  /// A way to send several commands as one.
  enum Kind: String, CaseIterable {
    case pipelined, multi

    /// Sends the commands and returns their replies.
    func execute(_ commands: [[String]], _ client: RESPClient) throws -> [RESPReply] {
      guard self == .multi else { return try client.pipeline(commands) }
      let replies = try client.pipeline([["MULTI"]] + commands + [["EXEC"]])
      return try #require(replies.last?.elements, "EXEC answered \(replies)")
    }
  }

  @Test(arguments: Kind.allCases, [MigrationState.dual, .dualPrimary])
  func `it is executed in both stores, and answered by the default one`(kind: Kind, state: MigrationState) throws {
    let deployment = try Deployment(state)
    let client = try deployment.client()
    let replies = try kind.execute(
      [["SET", "k", "1"], ["INCR", "k"], ["RPUSH", "l", "a", "b"], ["GET", "k"], ["LRANGE", "l", "0", "-1"]],
      client
    )
    #expect(replies == [.ok, .integer(2), .integer(2), .text("2"), .array([.text("a"), .text("b")])])
    for store in [deployment.primary, deployment.secondary] {
      let direct = try store.client()
      #expect(try direct.command("GET", "k") == .text("2"))
      #expect(try direct.command("LRANGE", "l", "0", "-1") == .array([.text("a"), .text("b")]))
    }
    let label = ["command": kind.rawValue]
    #expect(try deployment.metric("multistore_pipelines_compared_total", label) == 1)
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, label) == 0)
  }

  @Test(arguments: Kind.allCases, [false, true])
  func `a difference is counted and logged once, with values only if asked`(kind: Kind, logsValues: Bool) throws {
    let deployment = try Deployment(.dual, instance: ["log_values: \(logsValues)"])
    try deployment.primary.client().command("MSET", "same", "1", "secret-key", "new-token", "n", "5")
    try deployment.secondary.client().command("MSET", "same", "1", "secret-key", "old-token", "n", "7")
    let client = try deployment.client()
    let replies = try kind.execute([["GET", "same"], ["GET", "secret-key"], ["INCR", "n"]], client)
    #expect(replies == [.text("1"), .text("old-token"), .integer(8)])
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": kind.rawValue]) == 1)
    try deployment.finish()
    let events = deployment.events(MultiStoreNames.pipelinedDiffError)
    let event = try #require(events.first)
    #expect(events.count == 1)
    let beginning = "Pipelined command executed on both stores successfully but results differ between them. "
    #expect(event.message.hasPrefix(beginning + "Result from the primary: "))
    #expect(event.message.contains("Result from the secondary: "))
    #expect(event["extra.command_name"]?.string == kind.rawValue)
    #expect(event["extra.instance_name"]?.string == "sessions")
    #expect(event["extra.first_differing_index"]?.number == 1)
    #expect(event["extra.first_differing_command"]?.string == "get")
    #expect(event["extra.differing_elements"]?.number == 2)
    #expect(event["extra.suppressed_events"]?.number == 0)
    let log = deployment.sidecar.log.text
    #expect(log.contains("new-token") == logsValues && log.contains("old-token") == logsValues)
    #expect(logsValues || !log.contains("secret-key"))
  }

  @Test func `sets, hashes, times and chance do not cry wolf, unless every byte is to be compared`() throws {
    for comparison in ["canonical", "exact"] {
      let deployment = try Deployment(.dual, instance: ["comparison: \(comparison)"])
      let members = ["a", "b", "c", "d", "e", "f", "g", "h"]
      // Other histories give other orders: one store's collections were converted from their small form.
      for (store, order) in [(deployment.primary, members), (deployment.secondary, members.reversed())] {
        let direct = try store.client()
        try direct.command(["SADD", "set"] + order)
        try direct.command(["HSET", "hash"] + order.flatMap { [$0, "v\($0)"] })
      }
      let now = try #require(
        try deployment.primary.client().command("TIME").elements?.first?.string.flatMap { Int($0) }
      )
      try deployment.primary.client().command("SET", "t", "v", "PXAT", "\((now + 500) * 1000)")
      try deployment.secondary.client().command("SET", "t", "v", "PXAT", "\((now + 500) * 1000 + 300)")
      let client = try deployment.client()
      let pipeline = [
        ["SMEMBERS", "set"], ["HGETALL", "hash"], ["HKEYS", "hash"], ["HVALS", "hash"], ["SUNION", "set"],
        ["TTL", "t"], ["PTTL", "t"], ["PEXPIRETIME", "t"], ["SRANDMEMBER", "set", "3"], ["SSCAN", "set", "0"],
        ["RANDOMKEY"], ["OBJECT", "IDLETIME", "set"], ["DBSIZE"],
      ]
      // Times to live may differ by a second. Where the stores were asked half a second apart they say nothing.
      try eventually("the pipeline is quick") {
        let before = try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) ?? 0
        let start = ContinuousClock.now
        for reply in try client.pipeline(pipeline) { try expectNoError(reply) }
        guard ContinuousClock.now - start < .milliseconds(500) else { return false }
        let after = try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) ?? 0
        // RANDOMKEY ends a pipeline. What follows it may differ as well: an idle time is one of whole seconds.
        #expect(comparison == "exact" ? after > before : after == before)
        return true
      }
      // What has an order is compared with it under either.
      try deployment.primary.client().command("RPUSH", "l", "a", "b")
      try deployment.secondary.client().command("RPUSH", "l", "b", "a")
      let before = try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) ?? 0
      _ = try client.pipeline([["LRANGE", "l", "0", "-1"], ["SCARD", "set"]])
      #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) == before + 1)
    }
  }

  @Test func `the same error from both is no difference, an error from one is`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    try client.command("SET", "text", "v")
    let replies = try client.pipeline([["LRANGE", "text", "0", "-1"], ["GET", "text"]])
    #expect(replies[0].errorText?.hasPrefix("WRONGTYPE") == true)
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) == 0)
    try deployment.primary.client().command("DEL", "text")
    try deployment.primary.client().command("RPUSH", "text", "a")
    #expect(try client.pipeline([["GET", "text"], ["PING"]]).first == .text("v"))
    #expect(try client.pipeline([["GET", "text"], ["STRLEN", "text"]]) == [.text("v"), .integer(1)])
    #expect(try deployment.metric(MultiStoreNames.pipelinedDiff, ["command": "pipelined"]) == 1)
  }

  @Test(arguments: [MigrationState.dual, .dualPrimary])
  func `a read that the default store misses is answered by the other one`(state: MigrationState) throws {
    let deployment = try Deployment(state)
    let other = try deployment.defaultStore(state == .dual ? .primaryOnly : .off).client()
    try other.command("MSET", "k", "there", "b", "2")
    try other.command("HSET", "h", "f", "there")
    try deployment.defaultStore(state).client().command("SET", "a", "1")
    let client = try deployment.client()
    for kind in Kind.allCases {
      let replies = try kind.execute(
        [["GET", "k"], ["MGET", "a", "b", "c"], ["HGETALL", "h"], ["EXISTS", "none"], ["GET", "a"]],
        client
      )
      #expect(replies[0] == .text("there"))
      #expect(replies[1] == .array([.text("1"), .text("2"), .null]))
      #expect(replies[2] == .array([.text("f"), .text("there")]))
      #expect(replies[3...] == [.integer(0), .text("1")])
    }
    // Under the other policy the default store's answer stands.
    let plain = try Deployment(state, instance: ["read_policy: default_store"])
    let plainOther = try plain.defaultStore(state == .dual ? .primaryOnly : .off).client()
    try plainOther.command("SET", "k", "there")
    #expect(try plain.client().pipeline([["GET", "k"], ["EXISTS", "k"]]) == [.null, .integer(0)])
  }

  @Test func `a store that fails is no difference`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    _ = try client.pipeline([["SET", "a", "1"], ["SET", "b", "1"]])
    deployment.primary.kill()
    #expect(try client.pipeline([["INCR", "a"], ["GET", "b"]]) == [.integer(2), .text("1")])
    #expect(try Kind.multi.execute([["INCR", "a"], ["INCR", "b"]], client) == [.integer(3), .integer(2)])
    try deployment.sidecar.waitForEvent("event of the failed pipeline") {
      $0.multiStoreMessage == "Failed to execute pipeline on the redis primary_store."
        && $0["extra.command_name"]?.string == "pipelined"
    }
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 0)
  }

  @Test func `a deep pipeline keeps its order`() throws {
    let deployment = try Deployment(.dual)
    let client = try deployment.client()
    let commands = (0..<3000).flatMap { [["SET", "k\($0)", "v\($0)"], ["GET", "k\($0)"]] }
    let replies = try client.pipeline(commands)
    #expect(replies == (0..<3000).flatMap { [.ok, .text("v\($0)")] })
    #expect(try deployment.primary.client().command("DBSIZE") == .integer(3000))
    #expect(try deployment.sidecar.metrics().sum(MultiStoreNames.pipelinedDiff) == 0)
  }
}
