import TestSupport
import Testing

/// Scripts that do not end by themselves, and what becomes of everybody else meanwhile.
@Suite("Scripts that hang")
struct HangingScriptTests {
  private static let endless = "while true do end"
  private static let library = """
    #!lua name=endless
    redis.register_function('hang', function() while true do end end)
    """

  /// A client whose command hangs on the default store, which says so by now.
  private func hang(_ command: [String], in deployment: Deployment, _ state: MigrationState) throws -> RESPClient {
    let client = try deployment.client()
    try client.send(RESPClient.encode(command))
    try waitUntilBusy(deployment.defaultStore(state))
    return client
  }

  private func waitUntilBusy(_ store: RedisServer) throws {
    let client = try store.client()
    try eventually("the store is busy") { try client.command("PING").isBusy }
  }

  private func deployment(_ state: MigrationState, threshold: Int = 50, stores: String = "") throws -> Deployment {
    let deployment = try Deployment(state, instance: ["allow_flush: true"], stores: stores)
    for store in [deployment.primary, deployment.secondary] {
      try store.client().command("CONFIG", "SET", "busy-reply-threshold", "\(threshold)")
    }
    return deployment
  }

  private func unavailabilities(_ deployment: Deployment) -> [LogLine] {
    deployment.sidecar.log.all.filter { $0.message == "Store unavailable" }
  }

  @Test(arguments: MigrationState.allCases)
  func `other clients are told that the store is busy, and can end the script`(state: MigrationState) throws {
    let deployment = try deployment(state)
    let victim = try hang(["EVAL", Self.endless, "0"], in: deployment, state)
    let client = try deployment.client()
    try eventually("PING tells it too") { try client.command("PING").isBusy }
    for command in [
      ["SET", "k", "v"], ["EVAL", "return 1", "0"], ["EVAL", "return 1", "1", "k"], ["TIME"],
      ["CONFIG", "GET", "port"],
      ["SCRIPT", "EXISTS", "abc"], ["SCRIPT", "LOAD", "return 2"], ["FUNCTION", "LIST"], ["FLUSHALL"],
      ["BLPOP", "list", "1"], ["COMMAND", "DOCS", "get"], ["SUBSCRIBE", "c"], ["SELECT", "5"],
    ] {
      let reply = try client.command(command)
      #expect(reply.isBusy, "\(command): \(reply)")
    }
    let replies = try client.pipeline([["MULTI"], ["INCR", "n"], ["EXEC"]])
    #expect(replies[1].isBusy && replies[2].errorText?.hasPrefix("EXECABORT") == true, "\(replies)")
    // The other store may have the key, but a single store has nobody else to ask.
    let read = try client.command("GET", "k")
    #expect(state.isDual || read.isBusy, "\(read)")
    #expect(try client.command("FUNCTION", "KILL").isBusy)
    #expect(try client.command("SCRIPT", "KILL") == .ok)
    #expect(try victim.readReply().errorText?.contains("Script killed by user") == true)
    #expect(try client.command("SCRIPT", "KILL").errorText?.hasPrefix("NOTBUSY") == true)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try victim.command("GET", "k") == .text("v"))
    #expect(try client.command("PING") == .simple("PONG"))
    #expect(try client.command("SELECT", "5") == .ok)
    // Nothing of this is a failure of the store, or of a connection; no key is stale.
    #expect(try deployment.sidecar.metrics().sum("multistore_copy_failures_total") == 0)
    try deployment.finish()
    #expect(unavailabilities(deployment).isEmpty)
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `EXEC and WATCH are answered as a busy server answers them`(state: MigrationState) throws {
    let deployment = try deployment(state)
    let reference = try RedisServer()
    try reference.client().command("CONFIG", "SET", "busy-reply-threshold", "50")
    let direct = try reference.client()
    try direct.send(RESPClient.encode(["EVAL", Self.endless, "0"]))
    try waitUntilBusy(reference)
    // Queued before the script hangs, and executed after it.
    let early = try deployment.client()
    _ = try early.pipeline([["MULTI"], ["INCR", "n"]])
    let victim = try hang(["EVAL", Self.endless, "0"], in: deployment, state)
    let watcher = try deployment.client()
    try eventually("PING tells it too") { try watcher.command("PING").isBusy }
    for conversation in [
      [["MULTI"], ["GET", "k"], ["EXEC"], ["EXEC"]], [["MULTI"], ["EXEC"]], [["EXEC"], ["EXEC", "x"], ["DISCARD"]],
      [["MULTI"], ["GET"], ["EXEC"]], [["MULTI"], ["NOSUCH"], ["GET", "k"], ["EXEC"]],
      [["MULTI"], ["GET", "k"], ["DISCARD"]], [["WATCH", "k"], ["UNWATCH"], ["WATCH", "k"], ["MULTI"], ["EXEC"]],
      [["WATCH", "k"], ["WATCH", "l"], ["GET", "k"], ["MULTI"], ["GET", "k"], ["EXEC"], ["DISCARD"]],
    ] {
      let (client, other) = (try deployment.client(), try reference.client())
      for command in conversation {
        let expected = try other.command(command)
        let reply = try client.command(command)
        // The other store may have the key.
        #expect(reply == expected || state.isDual && command[0] == "GET", "\(command) of \(conversation)")
      }
    }
    #expect(try early.command("EXEC").errorText?.hasPrefix("EXECABORT Transaction discarded because of: BUSY") == true)
    #expect(try watcher.pipeline([["WATCH", "k"], ["WATCH", "l"]]) == [.ok, .ok])
    #expect(try watcher.command("SCRIPT", "KILL") == .ok)
    _ = try victim.readReply()
    #expect(try reference.client().command("SCRIPT", "KILL") == .ok)
    _ = try direct.readReply()
    // Either both keys were watched, or EXEC has no effect.
    #expect(try watcher.pipeline([["MULTI"], ["INCR", "m"]]) == [.ok, .simple("QUEUED")])
    let outcome = try watcher.command("EXEC")
    let isExecuted = try watcher.command("GET", "m") == .text("1")
    #expect(outcome == (isExecuted ? .array([.integer(1)]) : .array(nil)))
    #expect(try watcher.pipeline([["WATCH", "k"], ["MULTI"], ["INCR", "l"], ["EXEC"]]).last == .array([.integer(1)]))
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `a function that hangs can be ended, and a transaction whose script hangs`(state: MigrationState) throws {
    let deployment = try deployment(state)
    let client = try deployment.client()
    #expect(try client.command("FUNCTION", "LOAD", Self.library) == .text("endless"))
    var victim = try hang(["FCALL", "hang", "0"], in: deployment, state)
    #expect(try client.command("SCRIPT", "KILL").isBusy)
    #expect(try client.command("SET", "k", "v").isBusy)
    #expect(try client.command("FUNCTION", "STATS").elements?.first == .text("running_script"))
    #expect(try client.command("FUNCTION", "KILL") == .ok)
    #expect(try victim.readReply().errorText?.contains("Script killed by user") == true)
    victim = try deployment.client()
    _ = try victim.pipeline([["MULTI"], ["INCR", "n"], ["EVAL", Self.endless, "0"]])
    // The transaction has written, but the script has not.
    try victim.send(RESPClient.encode(["EXEC"]))
    try waitUntilBusy(deployment.defaultStore(state))
    #expect(try client.command("SET", "k", "v").isBusy)
    #expect(try client.command("SCRIPT", "KILL") == .ok)
    let replies = try #require(victim.readReply().elements)
    #expect(replies.first == .integer(1) && replies.last?.errorText?.contains("Script killed by user") == true)
    for store in [deployment.primary, deployment.secondary] where state.isDual || store === deployment.secondary {
      #expect(try store.client().command("GET", "n") == .text("1"))
    }
  }

  @Test func `what a busy store refuses is no difference`() throws {
    let deployment = try deployment(.dual)
    let victim = try hang(["EVAL", "while true do end", "0"], in: deployment, .dual)
    let client = try deployment.client()
    for reply in try client.pipeline([["GET", "a"], ["GET", "b"]]) { #expect(reply.isBusy) }
    #expect(try client.command("SCRIPT", "KILL") == .ok)
    #expect(try victim.readReply().errorText != nil)
    // Counted when the pipeline was answered.
    #expect(try deployment.metric("multistore_pipelines_compared_total", ["command": "pipelined"]) == 1)
    #expect(try deployment.sidecar.metrics().sum("gitlab_redis_multi_store_pipelined_diff_error_total") == 0)
  }

  @Test(arguments: [MigrationState.off, .dualPrimary])
  func `a script that has written can't be ended, and its keys are copied after it`(state: MigrationState) throws {
    let deployment = try deployment(state)
    let script = """
      local function now() local time = redis.call('TIME') return time[1] + time[2] / 1000000 end
      redis.call('SET', KEYS[1], 'x')
      local start = now()
      while now() - start < 10 do end
      return 'done'
      """
    let victim = try hang(["EVAL", script, "1", "k"], in: deployment, state)
    let client = try deployment.client()
    #expect(try client.command("SCRIPT", "KILL").errorText?.hasPrefix("UNKILLABLE") == true)
    #expect(try client.command("SET", "k", "v").isBusy)
    #expect(try victim.readReply() == .text("done"))
    #expect(try deployment.defaultStore(state).client().command("GET", "k") == .text("x"))
    if state.isDual { #expect(try deployment.secondary.client().command("GET", "k") == .text("x")) }
  }

  @Test(arguments: [MigrationState.off, .dual])
  func `connections that are made while a script hangs are served when it ends`(state: MigrationState) throws {
    let deployment = try deployment(state, threshold: 1500, stores: "command_timeout: 200ms, connect_timeout: 300ms")
    let victim = try deployment.client()
    try victim.send(RESPClient.encode(["EVAL", Self.endless, "0"]))
    #expect(try victim.readReply().errorText?.hasPrefix("ERR MultiStore: secondary store: no reply") == true)
    let client = try deployment.client()
    _ = try client.command("SET", "k", "v")
    try eventually("the store's words come through") { try client.command("SET", "k", "v").isBusy }
    try eventually("scripts are refused too") { try client.command("EVAL", "return 1", "0").isBusy }
    for _ in 0..<3 { #expect(try client.command("SET", "k", "v").isBusy) }
    try eventually("the script is ended") {
      let reply = try client.command("SCRIPT", "KILL")
      // An earlier one may have ended it, and have been answered too late.
      return reply == .ok || reply.errorText?.hasPrefix("NOTBUSY") == true
    }
    try eventually("the store is served again") {
      try client.command("SET", "k", "v") == .ok && client.command("EVAL", "return 1", "0") == .integer(1)
    }
  }

  @Test func `a store that says nothing is not said to be busy`() throws {
    let deployment = try deployment(.off)
    let (victim, client) = (try deployment.client(), try deployment.client())
    try deployment.pauseOnceIdle("secondary")
    defer { deployment.secondary.resume() }
    try victim.send(RESPClient.encode(["EVAL", "return 1", "0"]))
    try deployment.waitForMetric("multistore_store_in_flight_commands", ["store": "secondary"], 1)
    for _ in 0..<3 { #expect(try client.command("PING") == .simple("PONG")) }
    #expect(try client.pipeline([["MULTI"], ["SET", "k", "v"], ["DISCARD"]]) == [.ok, .simple("QUEUED"), .ok])
  }

  @Test func `a flip does not wait for a script that hangs`() throws {
    let deployment = try deployment(.dual)
    let victim = try hang(["EVAL", Self.endless, "1", "k"], in: deployment, .dual)
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "v").isBusy)
    try deployment.move(to: .dualPrimary)
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("GET", "k") == .text("v"))
    // The script is on the store that was the default.
    #expect(try client.command("SCRIPT", "KILL").errorText?.hasPrefix("NOTBUSY") == true)
    #expect(try deployment.secondary.client().command("SCRIPT", "KILL") == .ok)
    #expect(try victim.readReply().errorText?.contains("Script killed by user") == true)
    try eventually("the old store gets writes again") {
      try client.command("SET", "k", "w") == .ok && deployment.secondary.client().command("GET", "k") == .text("w")
    }
  }

  @Test func `a script that hangs on the other store costs its copies`() throws {
    let deployment = try deployment(.dual)
    let direct = try deployment.primary.client()
    try direct.send(RESPClient.encode(["EVAL", Self.endless, "0"]))
    try waitUntilBusy(deployment.primary)
    let client = try deployment.client()
    #expect(try client.command("SET", "k", "v") == .ok)
    #expect(try client.command("GET", "k") == .text("v"))
    #expect(try client.command("APPEND", "k", "w") == .integer(2))
    #expect(try client.command("EVAL", "return redis.call('GET', KEYS[1])", "1", "k") == .text("vw"))
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 1)
    #expect(try deployment.primary.client().command("SCRIPT", "KILL") == .ok)
    #expect(try direct.readReply().errorText?.contains("Script killed by user") == true)
    #expect(try client.command("APPEND", "k", "x") == .integer(3))
    #expect(try deployment.primary.client().command("GET", "k") == .text("vwx"))
    try deployment.waitForMetric("multistore_stale_keys", ["store": "primary"], 0)
    try deployment.finish()
    #expect(unavailabilities(deployment).isEmpty)
  }
}

extension RESPReply {
  fileprivate var isBusy: Bool { errorText?.hasPrefix("BUSY Redis is busy running a script.") == true }
}
