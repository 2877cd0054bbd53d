import TestSupport
import Testing

/// A work queue as BullMQ makes one: its scripts name some keys, and put the names of others together from a prefix.
@Suite("Scripts that make up key names")
struct QueueScriptTests {
  private static let add = """
    local rcall = redis.call
    local id = rcall('INCR', ARGV[1] .. 'id')
    rcall('HSET', ARGV[1] .. id, 'data', ARGV[2], 'time', ARGV[3])
    rcall('LPUSH', KEYS[1], id)
    return id
    """
  private static let take = """
    local id = redis.call('RPOPLPUSH', KEYS[1], KEYS[2])
    if not id then return nil end
    redis.call('HINCRBY', ARGV[1] .. id, 'attempts', 1)
    return {id, redis.call('HGETALL', ARGV[1] .. id)}
    """
  private static let finish = """
    redis.call('LREM', KEYS[1], 1, ARGV[2])
    redis.call('DEL', ARGV[1] .. ARGV[2])
    redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
    return redis.call('LLEN', KEYS[1])
    """

  /// Adds jobs, and works on half of them.
  private func work(_ deployment: Deployment) throws {
    let client = try deployment.client()
    for number in 1...40 {
      let added = try client.command("EVAL", Self.add, "1", "q:wait", "q:", "payload \(number)", "\(number)")
      #expect(added == .integer(number))
    }
    let load = try client.pipeline([["SCRIPT", "LOAD", Self.take], ["SCRIPT", "LOAD", Self.finish]]).map(\.string)
    let (take, finish) = (try #require(load[0]), try #require(load[1]))
    for number in 1...20 {
      let taken = try client.command("EVALSHA", take, "2", "q:wait", "q:active", "q:")
      #expect(taken.elements?.first == .text("\(number)"))
      let end = ["EVALSHA", finish, "2", "q:active", "q:done", "q:", "\(number)", "\(number)"]
      #expect(try client.pipeline([["MULTI"], end, ["EXEC"]]).last == .array([.integer(0)]))
    }
  }

  private func verify(_ deployment: Deployment) throws -> ProcessOutcome {
    let options = ["--wait", "--rate=100000", "--instance=sessions", deployment.adminOption]
    return try SidecarProcess.run(["verify", "start"] + options)
  }

  private func hazards(_ deployment: Deployment) throws -> [String: String] {
    let commands = try deployment.inventory().compactMap { entry -> (String, String)? in
      guard let command = entry["command"]?.string else { return nil }
      return (command, entry["hazard"]?.string ?? "")
    }
    return Dictionary(commands) { first, _ in first }
  }

  @Test func `with copy_keys the keys that they do not name are missing, and the inventory says so`() throws {
    let deployment = try Deployment(.dual, instance: ["settled_checks: { rate: 1000 }"])
    try work(deployment)
    #expect(try deployment.primary.client().command("LLEN", "q:wait") == .integer(20))
    #expect(try deployment.primary.client().command("EXISTS", "q:40") == .integer(0))
    try eventually("the inventory has the scripts") { try hazards(deployment)["evalsha"] == "script" }
    let found = try verify(deployment)
    #expect(found.exit == .status(3) && found.output.contains(/missing +21/), "\(found)")
    try eventually("the inventory tells that keys were not named") {
      try hazards(deployment)["eval"] == "unnamed_keys"
    }
    try deployment.waitForMetric("multistore_unnamed_keys_total", ["instance_name": "sessions"], 21)
    #expect(try deployment.sidecar.get("/status").text.contains("unnamed_keys"))
  }

  @Test func `with run_on_both the stores are equal`() throws {
    let deployment = try Deployment(.dual, instance: ["scripts: run_on_both", "settled_checks: { rate: 1000 }"])
    try work(deployment)
    let digests = try [deployment.primary, deployment.secondary].map { try $0.client().command("DEBUG", "DIGEST") }
    #expect(digests[0] == digests[1])
    #expect(try deployment.primary.client().command("EXISTS", "q:40") == .integer(1))
    let found = try verify(deployment)
    #expect(found.exit == .status(0), "\(found)")
    #expect(try deployment.metric("multistore_unnamed_keys_total", ["instance_name": "sessions"]) == 0)
    try eventually("the inventory has the scripts") { try hazards(deployment)["evalsha"] == "" }
    try deployment.move(to: .dualPrimary)
    let client = try deployment.client()
    #expect(try client.command("EVAL", Self.take, "2", "q:wait", "q:active", "q:").elements?.first == .text("21"))
  }

  @Test func `those that can't be repeated are refused with a reason`() throws {
    let deployment = try Deployment(.dual, instance: ["scripts: run_on_both"])
    let client = try deployment.client()
    let time = ["EVAL", "return redis.call('TIME')", "0"]
    #expect(try client.command(time).errorText?.contains("the script calls TIME") == true)
    #expect(try client.pipeline([["SET", "k", "v"], time, ["GET", "k"]]).last == .text("v"))
    let transaction = try client.pipeline([["MULTI"], time, ["EXEC"]])
    #expect(
      transaction[1].errorText?.contains("TIME") == true && transaction[2].errorText?.hasPrefix("EXECABORT") == true
    )
    let unknown = String(repeating: "0", count: 40)
    #expect(try client.command("EVALSHA", unknown, "0").errorText?.hasPrefix("NOSCRIPT ") == true)
    try deployment.move(to: .off)
    #expect(try client.command(time).elements?.count == 2)
  }

  @Test func `a function that can't be repeated is one until the store has another library`() throws {
    let deployment = try Deployment(.dual, instance: ["scripts: run_on_both"])
    let client = try deployment.client()
    func library(_ name: String, _ function: String, _ body: String) -> String {
      "#!lua name=\(name)\nredis.register_function('\(function)', function() return \(body) end)"
    }
    let call = ["FCALL", "now", "0"]
    #expect(try client.command("FUNCTION", "LOAD", library("clock", "now", "redis.call('TIME')")) == .text("clock"))
    #expect(try client.command(call).errorText?.contains("TIME") == true)
    // The text of this one has the name of the function, and that of the next one is refused by the store.
    #expect(try client.command("FUNCTION", "LOAD", library("other", "say", "'now'")) == .text("other"))
    #expect(try client.command(call).errorText?.contains("TIME") == true)
    #expect(try client.command("FUNCTION", "LOAD", library("clock", "now", "1")).errorText != nil)
    #expect(try client.command(call).errorText?.contains("TIME") == true)
    #expect(try client.command("FCALL", "say", "0") == .text("now"))
    #expect(try client.command("FUNCTION", "LOAD", "REPLACE", library("clock", "now", "1")) == .text("clock"))
    try eventually("the new library is known") { try client.command(call) == .integer(1) }
    for store in [deployment.primary, deployment.secondary] {
      #expect(try store.client().command(call) == .integer(1))
    }
  }
}
