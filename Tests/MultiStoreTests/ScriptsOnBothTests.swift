internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

@Suite("Scripts that both stores execute")
struct ScriptsOnBothTests {
  private func instance(primaryAsDefault: Bool = false) throws -> Instance {
    try Instance(primaryAsDefault: primaryAsDefault) {
      $0.scripts = .runOnBoth
      $0.keysPerSecond = 10_000
    }
  }

  /// The harness separates words by spaces, so scripts have none.
  private static let push = "redis.call('RPUSH',KEYS[1],ARGV[1])return(redis.call('INCR',ARGV[2]..':unnamed'))"

  private func expectEqual(_ instance: Instance) throws {
    #expect(try instance.primary.command("DEBUG", "DIGEST") == instance.secondary.command("DEBUG", "DIGEST"))
  }

  @Test(arguments: [true, false])
  func `change keys that they do not name on both stores`(primaryAsDefault: Bool) throws {
    let instance = try instance(primaryAsDefault: primaryAsDefault)
    for number in 1...3 { #expect(try instance.execute("EVAL \(Self.push) 1 l v p") == ":\(number)|") }
    #expect(
      try instance.execute("SET a v", "EVAL \(Self.push) 1 l w p", "APPEND a w", "INCR p:unnamed") == "+OK|:4|:2|:5|"
    )
    #expect(try instance.execute("INCR p:unnamed", "EVAL \(Self.push) 1 l x p", as: .multi) == "*2|:6|:7|")
    #expect(try instance.primary.command("GET", "p:unnamed").string == "7")
    try expectEqual(instance)
    #expect(instance.count(MultiStoreMetrics.keyCopies) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "pipelined"]) == 0)
  }

  /// A MULTI without its EXEC would queue the commands of all clients.
  @Test(arguments: [StoreRole.secondary, .primary])
  func `of a transaction are refused with it if their questions do not fit`(role: StoreRole) throws {
    let instance = try Instance {
      $0.scripts = .runOnBoth
      if role == .primary {
        $0.primary?.limits.maxQueuedCommands = 10
      } else {
        $0.secondary.limits.maxQueuedCommands = 10
      }
    }
    let script = "EVAL \(Self.push) 1 l v p"
    let reply = try instance.execute(script, script, script, script, script, as: .multi)
    #expect(reply.hasPrefix("-") == (role == .secondary), "\(reply)")
    #expect(try instance.execute("SET k v") == "+OK|")
    #expect(try instance.execute("GET k", "INCR n") == "$1|v|:1|")
    for client in [instance.primary, instance.secondary] { #expect(try client.command("GET", "n") == .text("1")) }
  }

  @Test func `are loaded into the other store when they are called by their digest`() throws {
    let instance = try instance()
    let text = "return(redis.call('INCR',KEYS[1]..'x'))"
    let digest = try #require(instance.secondary.command("SCRIPT", "LOAD", text).string)
    let core = instance.multiStore.instance
    let call = encoded("EVALSHA \(digest) 1 k")
    let spec = CommandTable.spec(.evalSHA)
    let routing = core.routingState.flip.current
    let refusal = core.refusal(ofScript: call.span, spec, routing)
    #expect(refusal == .unknownDigest && refusal?.clientError.hasPrefix("NOSCRIPT ") == true)
    let load = encoded("EVAL \(text) 1 k")
    #expect(core.refusal(ofScript: load.span, CommandTable.spec(.eval), routing) == nil)
    #expect(core.refusal(ofScript: call.span, spec, routing) == nil)
    #expect(try instance.execute("EVALSHA \(digest) 1 k") == ":1|")
    #expect(try instance.execute("INCR n", "EVALSHA \(digest) 1 k", as: .multi) == "*2|:1|:2|")
    try expectEqual(instance)
    // Its keys are copied then, and the next call loads it.
    try instance.primary.command("SCRIPT", "FLUSH")
    #expect(try instance.execute("EVALSHA \(digest) 1 k") == ":3|")
    try instance.run { instance.database.primary?.isWhole == true }
    #expect(try instance.execute("EVALSHA \(digest) 1 k") == ":4|")
    #expect(try instance.primary.command("GET", "kx").string == "3")
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }

  @Test func `leave no fragment of a key that the other store lacks`() throws {
    let instance = try instance()
    try instance.secondary.command("RPUSH", "l", "a", "b")
    _ = try instance.execute("EVAL \(Self.push) 1 l c p")
    try instance.run { (try? instance.primary.command("LLEN", "l").integer) == 3 }
    #expect(try instance.primary.command("GET", "p:unnamed").string == "1")
    try instance.secondary.command("RPUSH", "m", "a")
    _ = try instance.execute("INCR n", "EVAL \(Self.push) 1 m c p", as: .multi)
    try instance.run { (try? instance.primary.command("LLEN", "m").integer) == 2 }
    try expectEqual(instance)
  }

  @Test func `are compared, and their keys are copied where the replies differ`() throws {
    let instance = try instance()
    for number in 1...3 { try instance.secondary.command("RPUSH", "l", "\(number)") }
    try instance.primary.command("RPUSH", "l", "1")
    let text = "return(redis.call('RPUSH',KEYS[1],'x'))"
    #expect(try instance.execute("EVAL \(text) 1 l") == ":4|")
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "pipelined"]) == 1)
    #expect(instance.events("Gitlab::Redis::MultiStore::PipelinedDiffError").count == 1)
    try instance.run { (try? instance.primary.command("LLEN", "l").integer) == 4 }
    try expectEqual(instance)
  }

  @Test func `that fail on both stores are no difference, and what they wrote is on both`() throws {
    let instance = try instance()
    let text = "redis.call('SET',KEYS[1]..'x','1')return(redis.call('LPUSH',KEYS[1]..'x','1'))"
    #expect(try instance.execute("EVAL \(text) 1 k").hasPrefix("-WRONGTYPE"))
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff, ["command": "pipelined"]) == 0)
    #expect(instance.multiStore.database.store(.primary).isWhole)
    try expectEqual(instance)
  }

  @Test(arguments: [StoreRole.secondary, .primary])
  func `that the default store alone refuses are executed on none`(role: StoreRole) throws {
    let instance = try instance(primaryAsDefault: role == .primary)
    try instance.both("SET k before")
    let refusals = [["CONFIG", "SET", "maxmemory", "1"], ["ACL", "SETUSER", "default", "-set"]]
    let remedies = [["CONFIG", "SET", "maxmemory", "0"], ["ACL", "SETUSER", "default", "+set"]]
    for (refusal, remedy) in zip(refusals, remedies) {
      _ = try instance.client(role).command(refusal)
      for kind in [BatchKind.single, .multi] {
        let script = "EVAL return(redis.call('SET',KEYS[1],'after')) 1 k"
        let answer = try kind == .single ? instance.execute(script) : instance.execute("GET x", script, as: kind)
        #expect(answer.contains("-"), "\(answer)")
      }
      _ = try instance.client(role).command(remedy)
      try instance.run { instance.database.store(role.other).isWhole }
      for client in [instance.primary, instance.secondary] {
        #expect(try client.command("GET", "k") == .text("before"))
      }
    }
    #expect(instance.multiStore.status.verifiedMilliseconds == nil)
  }

  @Test func `leave their keys stale while the other store is away`() throws {
    let instance = try instance()
    try instance.takeDown(.primary)
    #expect(try instance.execute("EVAL \(Self.push) 1 l v p") == ":1|")
    #expect(instance.multiStore.database.store(.primary).stale.contains("l"))
    #expect(instance.multiStore.instance.verifiedMilliseconds == nil)
  }

  @Test func `are refused if they can't be repeated, while both stores are written`() throws {
    let instance = try instance()
    let core = instance.multiStore.instance
    let call = encoded("EVAL return(redis.call('TIME')) 0")
    let routing = core.routingState.flip.current
    let refusal = core.refusal(ofScript: call.span, CommandTable.spec(.eval), routing)?.clientError
    #expect(refusal?.contains("calls TIME") == true && refusal?.contains("scripts: copy_keys") == true)
    let single = Routing(flags: FlagState(), canUsePrimary: true, readPolicy: .fallback)
    #expect(core.refusal(ofScript: call.span, CommandTable.spec(.eval), single) == nil)
    #expect(core.refusal(ofScript: call.span, CommandTable.spec(.evalReadOnly), routing) == nil)
  }

  @Test func `functions are known by their libraries`() throws {
    let instance = try instance()
    let core = instance.multiStore.instance
    let routing = core.routingState.flip.current
    let library = """
      #!lua name=%@
      redis.register_function('%@', function(keys, args) return redis.call('%@', keys[1] .. args[1]) end)
      """
    func load(_ name: String, _ command: String) throws {
      let parts = library.split(separator: "%@", omittingEmptySubsequences: false)
      for client in [instance.primary, instance.secondary] {
        let reply = try client.command(
          "FUNCTION",
          "LOAD",
          parts[0] + name + parts[1] + name + parts[2] + command + parts[3]
        )
        #expect(reply.string == name, "\(reply)")
      }
    }
    try load("count", "INCR")
    try load("pop", "SPOP")
    func refusal(_ name: String) -> String? {
      let call = encoded("FCALL \(name) 1 k x")
      return core.refusal(ofScript: call.span, CommandTable.spec(.functionCall), routing)?.clientError
    }
    #expect(refusal("count")?.contains("send it again") == true)
    try instance.run { refusal("count") == nil }
    #expect(refusal("pop")?.contains("SPOP") == true)
    #expect(try instance.execute("FCALL count 1 k x") == ":1|")
    try expectEqual(instance)
  }
}
