internal import RESP
internal import TestSupport
internal import Testing

@testable internal import MultiStore

/// The states in which a key is stale on the default store.
private struct Setup: CustomTestStringConvertible, Sendable {
  let isDual: Bool
  let primaryAsDefault: Bool
  var policy = ReadPolicy.fallback

  static let all = [
    Setup(isDual: false, primaryAsDefault: false), Setup(isDual: true, primaryAsDefault: false),
    Setup(isDual: true, primaryAsDefault: true), Setup(isDual: false, primaryAsDefault: true),
    Setup(isDual: true, primaryAsDefault: false, policy: .defaultStore),
    Setup(isDual: true, primaryAsDefault: true, policy: .defaultStore),
  ]

  var testDescription: String { "dual \(isDual), primary as default \(primaryAsDefault), \(policy.rawValue)" }
  var defaultRole: StoreRole { primaryAsDefault ? .primary : .secondary }

  func instance(_ commandTimeout: Duration = .seconds(20)) throws -> Instance {
    try Instance(dual: isDual, primaryAsDefault: primaryAsDefault, commandTimeout: commandTimeout) {
      $0.readPolicy = policy
    }
  }

  /// Gives the other store the values that count, and the default store older ones.
  func makeStale(_ keys: [String: (setup: String, old: String?)], on instance: Instance) throws {
    for (key, value) in keys {
      try instance.client(defaultRole.other).command(words(value.setup))
      if let old = value.old { try instance.client(defaultRole).command(words(old)) }
      instance.database.store(defaultRole).markStale(key: Array(key.utf8), because: .lost)
    }
  }
}

/// Commands about keys that are stale on the default store, and their replies.
private let commands: [(key: String, setup: String, old: String?, line: String, reply: String)] = [
  ("k", "SET k 20", "SET k 10", "GET k", "$2|20|"),
  ("k", "SET k 20", "SET k 10", "INCR k", ":21|"),
  ("k", "SET k 20", nil, "APPEND k 1", ":3|"),
  ("k", "SET k 20", "SET k 10", "GETDEL k", "$2|20|"),
  ("k", "SET k 20", "SET k 10", "SET k 30 GET", "$2|20|"),
  ("k", "SET k 20", "SET k 10", "SET k 30", "+OK|"),
  ("k", "DEL k", "SET k 10", "EXISTS k", ":0|"),
  ("k", "DEL k", "SET k 10", "SETNX k 1", ":1|"),
  ("k", "RPUSH k a b", "RPUSH k c d e", "LPOP k", "$1|a|"),
  ("k", "RPUSH k a b", "RPUSH k c", "LMOVE k l LEFT LEFT", "$1|a|"),
  ("k", "SADD k a", "SADD k b", "SMOVE l k x", ":0|"),
  ("k", "SADD k a", "SADD k b", "SMOVE k l a", ":1|"),
  ("k", "SADD k a b c", "SADD k d", "SUNIONSTORE l k", ":3|"),
  ("k", "HSET k f 1", "HSET k f 2", "HINCRBY k f 1", ":2|"),
  ("k", "ZADD k 5 m", "ZADD k 1 m", "ZINCRBY k 1 m", "$1|6|"),
  ("k", "SET k 20", "SET k 10", "EVAL return(redis.call('GET',KEYS[1])) 1 k", "$2|20|"),
]

@Suite("Commands that wait for keys to be copied to the default store")
struct KeyArrivalTests {
  /// One store's reply is a fallback read's.
  @Test(arguments: [StoreRole.primary, .secondary])
  func `a read of keys of which each store lacks one waits for the default store's`(defaultRole: StoreRole) throws {
    let instance = try Instance(primaryAsDefault: defaultRole == .primary)
    for (key, outdatedOn) in [("a", instance.primary), ("b", instance.secondary)] {
      try instance.both("SET \(key) new")
      try outdatedOn.command("SET", key, "old")
    }
    for (key, role) in [("a", StoreRole.primary), ("b", .secondary)] {
      instance.database.store(role).markStale(key: Array(key.utf8), because: .lost)
    }
    #expect(try instance.execute("MGET a b") == "*2|$3|new|$3|new|")
    #expect(instance.database.store(defaultRole).stale.isEmpty)
    #expect(instance.database.store(defaultRole.other).stale.count == 1)
  }

  @Test(arguments: Setup.all)
  private func `a command that names a stale key is executed when that is copied`(setup: Setup) throws {
    let instance = try setup.instance()
    for kind in [BatchKind.single, .pipelined, .multi] {
      for command in commands {
        try instance.both("FLUSHALL")
        try setup.makeStale([command.key: (command.setup, command.old)], on: instance)
        let store = instance.database.store(setup.defaultRole)
        let isScript = command.line.hasPrefix("EVAL")
        if isScript, kind == .pipelined { continue }
        let reply =
          kind == .single
          ? try instance.execute(command.line, over: isScript ? store.isolated : nil)
          : try instance.execute("PING", command.line, as: kind)
        let expected =
          switch kind {
          case .single: command.reply
          case .pipelined: "+PONG|" + command.reply
          case .multi: "*2|+PONG|" + command.reply
          }
        #expect(reply == expected, "\(command.line) as \(kind)")
        if setup.isDual, kind == .single {
          let states = try [instance.primary, instance.secondary].map { client in
            try ["k", "l"].map { try client.command("DEBUG", "DIGEST-VALUE", $0) }
          }
          // A read that the secondary answered has left the primary as it was.
          if command.line != "GET k", command.line != "EXISTS k" { #expect(states[0] == states[1], "\(command.line)") }
        }
      }
    }
  }

  /// FLUSHALL and FLUSHDB remove the value that was to be copied, of each kind of batch.
  @Test(arguments: Setup.all, ["FLUSHALL", "FLUSHDB"])
  private func `an emptied store waits for no key`(setup: Setup, line: String) throws {
    let instance = try setup.instance()
    for kind in [BatchKind.single, .pipelined, .multi] {
      try setup.makeStale(["k": ("SET k 20", "SET k 10"), "l": ("SET l 20", nil)], on: instance)
      // Its value is on its way when the store is emptied.
      let read = instance.begin("GETDEL k")
      let flush = kind == .single ? instance.begin(line) : instance.begin("PING", line, as: kind)
      let append = instance.begin("APPEND l x")
      try instance.run { read.isDone && flush.isDone && append.isDone }
      #expect(["$2|20|", "$-1|"].contains(read.text), "\(read.text)")
      #expect(flush.text.hasSuffix("+OK|"), "\(flush.text)")
      #expect([":1|", ":3|"].contains(append.text), "\(append.text)")
      try instance.run { instance.database.store(setup.defaultRole).isWhole }
      #expect(try instance.client(setup.defaultRole).command("GET", "k") == .null)
      #expect(try instance.execute("GET k") == "$-1|", "as \(kind)")
      try instance.both("FLUSHALL")
      instance.database.store(setup.defaultRole.other).family.wasEmptied()
    }
  }

  @Test(arguments: Setup.all)
  private func `other keys do not wait`(setup: Setup) throws {
    let instance = try setup.instance()
    try setup.makeStale(["k": ("SET k 20", "SET k 10")], on: instance)
    try instance.client(setup.defaultRole).command("SET", "other", "1")
    let source = setup.defaultRole == .primary ? instance.secondaryServer : instance.primaryServer
    source.pause()
    let held = instance.begin("INCR k")
    let innocent = instance.begin("SET free 1", as: setup.isDual ? .multi : .single)
    if !setup.isDual { try instance.run { innocent.isDone } }
    #expect(!held.isDone)
    source.resume()
    try instance.run { held.isDone && innocent.isDone }
    #expect(held.text == ":21|")
  }

  @Test(arguments: Setup.all)
  private func `writes that replace a key go on without the other store, all others are told why`(setup: Setup) throws {
    let instance = try setup.instance()
    try setup.makeStale(["k": ("SET k 20", "SET k 10"), "m": ("SET m 20", "SET m 10")], on: instance)
    let store = instance.database.store(setup.defaultRole)
    try instance.takeDown(setup.defaultRole.other)
    for line in ["INCR k", "SET k 1 NX", "GETDEL k", "APPEND k x", "SETNX k 1", "RENAME k l"] {
      let reply = try instance.execute(line)
      #expect(reply.hasPrefix("-ERR MultiStore: a key of the command is outdated on the"), "\(line): \(reply)")
      #expect(reply.contains("primary") && reply.contains("secondary"))
    }
    #expect(try instance.execute("GET k").hasPrefix("-ERR MultiStore: "))
    let replies = try instance.execute("SET other 1", "GET k")
    #expect(replies.split(separator: "|").allSatisfy { $0.hasPrefix("-ERR MultiStore: ") })
    #expect(try instance.execute("SET other 1", "GET k", as: .multi).hasPrefix("-ERR MultiStore: "))
    #expect(try instance.client(setup.defaultRole).command("EXISTS", "other") == .integer(0), "nothing was executed")
    // An error of the command itself leaves the key as it was.
    #expect(try instance.execute("SET k 1 EX 0").hasPrefix("-ERR invalid expire"))
    #expect(store.stale.count == 2)
    #expect(try instance.execute("SET k 30") == "+OK|")
    #expect(try instance.execute("DEL m") == ":1|")
    #expect(store.stale.count == 0 && store.isWhole)
    #expect(try instance.client(setup.defaultRole).command("MGET", "k", "m") == .array([.text("30"), .null]))
  }

  @Test func `a read under the fallback policy is answered by the old store meanwhile`() throws {
    let setup = Setup(isDual: true, primaryAsDefault: true)
    let instance = try setup.instance()
    try setup.makeStale(["k": ("SET k 20", "SET k 10")], on: instance)
    #expect(try instance.execute("GET k") == "$2|20|")
    #expect(try instance.primary.command("GET", "k") == .text("10"), "nothing was copied for it")
  }

  @Test func `a read that the primary fails is not answered with a stale value`() throws {
    let instance = try Instance(dual: true, primaryAsDefault: true)
    try instance.both("SET k 10")
    instance.database.secondary.markStale(key: Array("k".utf8), because: .lost)
    try instance.takeDown(.primary)
    #expect(try instance.execute("GET k").hasPrefix("-ERR MultiStore: primary store:"))
  }
}

/// Keys that the old store alone has, and commands that depend on them in the third state.
private let dependents: [(setup: String, line: String, reply: String)] = [
  ("SET k 101", "INCR k", ":102|"), ("SET k 101", "INCRBYFLOAT k 0.5", "$5|101.5|"), ("SET k ab", "APPEND k c", ":3|"),
  ("SET k ab", "SETRANGE k 1 x", ":2|"), ("SET k a", "SETBIT k 7 0", ":1|"), ("SET k a", "GETDEL k", "$1|a|"),
  ("SET k a", "GETSET k b", "$1|a|"), ("SET k a", "SET k b GET", "$1|a|"), ("SET k a", "SET k b NX", "$-1|"),
  ("SET k a", "SETNX k b", ":0|"), ("SET k a", "EXPIRE k 100", ":1|"), ("SET k a EX 100", "PERSIST k", ":1|"),
  ("SET k a", "GETEX k EX 100", "$1|a|"), ("SET k a EX 100", "SET k b KEEPTTL", "+OK|"),
  ("SET k a", "RENAME k l", "+OK|"), ("SET k a", "COPY k l", ":1|"),
  ("HSET k f 1 g 2", "HSET k g 3", ":0|"), ("HSET k f 1", "HSETNX k f 2", ":0|"), ("HSET k f 1", "HDEL k f", ":1|"),
  ("SADD k a b", "SADD k b c", ":1|"), ("SADD k a", "SMOVE k l a", ":1|"), ("SADD l a", "SMOVE k l a", ":0|"),
  ("SADD k a b", "SUNIONSTORE l k m", ":2|"),
  ("RPUSH k a b", "LPUSH k z", ":3|"), ("RPUSH k a b", "LPOP k", "$1|a|"), ("RPUSH k a", "LPUSHX k z", ":2|"),
  ("RPUSH k a b", "LMOVE k l LEFT LEFT", "$1|a|"), ("RPUSH k a b", "SORT k ALPHA STORE l", ":2|"),
  ("ZADD k 1 a", "ZINCRBY k 2 a", "$1|3|"), ("ZADD k 1 a 2 b", "ZPOPMIN k", "*2|$1|a|$1|1|"),
  ("ZADD k 1 a", "ZADD k XX INCR 1 b", "$-1|"), ("XADD k 1-1 f v", "XADD k 1-1 f w", ErrorReply.smallID),
  ("PFADD k a b", "PFADD k a", ":0|"), ("SET k a", "HSET k f v", ErrorReply.wrongType),
]

private enum ErrorReply {
  static let wrongType = "-WRONGTYPE Operation against a key holding the wrong kind of value|"
  static let smallID = "-ERR The ID specified in XADD is equal or smaller than the target stream top item|"
}

@Suite("Keys that the old store alone has, while the new one is the default")
struct KeyMoveTests {
  private func instance(_ policy: ReadPolicy = .fallback) throws -> Instance {
    try Instance(primaryAsDefault: true) {
      $0.readPolicy = policy
      $0.keysPerSecond = 1000
    }
  }

  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `they are moved before a command that depends on them`(kind: BatchKind) throws {
    let instance = try instance()
    var moved: Int64 = 0
    for (setup, line, reply) in dependents {
      try instance.both("FLUSHALL")
      try instance.secondary.command(words(setup))
      let answer = try kind == .single ? instance.execute(line) : instance.execute("SET other v", line, as: kind)
      let before =
        switch kind {
        case .single: ""
        case .pipelined: "+OK|"
        case .multi: "*2|+OK|"
        }
      #expect(answer == before + reply, "\(line)")
      moved += 1
      #expect(instance.count(MultiStoreMetrics.readFallback) == moved, "\(line)")
      let states = try [instance.primary, instance.secondary].map { client in
        try ["k", "l"].map { key in
          [
            try client.command("DEBUG", "DIGEST-VALUE", key),
            .integer(try client.command("TTL", key).integer ?? 0 < 0 ? 0 : 1),
          ]
        }
      }
      #expect(states[0] == states[1], "\(line)")
    }
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(instance.count(MultiStoreMetrics.pipelinedDiff) == 0)
  }

  @Test func `a write of a key that is there takes one round trip`() throws {
    let instance = try instance()
    try instance.both("MSET k 1 large 9007199254740992")
    // The first one gives the store the script.
    #expect(try instance.execute("INCR k") == ":2|")
    let before = instance.database.store(.primary).ordinary.replyCount
    for number in 3...12 { #expect(try instance.execute("INCR k") == ":\(number)|") }
    #expect(instance.database.store(.primary).ordinary.replyCount == before + 10)
    #expect(try instance.execute("INCR large") == ":9007199254740993|", "no number goes through Lua that is too large")
    #expect(try instance.execute("INCRBY k 9007199254740981") == ":9007199254740993|")
    #expect(try instance.execute("INCR k") == ":9007199254740994|")
    #expect(try instance.execute("LPUSH k x") == ErrorReply.wrongType)
    try instance.primary.command("SCRIPT", "FLUSH")
    #expect(try instance.execute("APPEND k 0") == ":17|")
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("GET", "k") == .text("90071992547409940"))
    }
    let reply = try instance.primary.command("SCRIPT", "LOAD", ExactGuard.script)
    #expect(reply == .text(ExactGuard.digest.description))
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
  }

  @Test func `they are moved before a script`() throws {
    let instance = try instance()
    try instance.secondary.command("SET", "k", "101")
    let connection = instance.database.store(.primary).isolated
    #expect(try instance.execute("EVAL return(redis.call('INCR',KEYS[1])) 1 k", over: connection) == ":102|")
    for client in [instance.primary, instance.secondary] { #expect(try client.command("GET", "k") == .text("102")) }
    #expect(instance.count(MultiStoreMetrics.readFallback, ["command": "eval"]) == 1)
  }

  @Test func `what replaces a key, and what neither store has, moves nothing`() throws {
    let instance = try instance()
    try instance.secondary.command("MSET", "k", "1", "l", "1", "m", "1")
    #expect(try instance.execute("SET k 2") == "+OK|")
    #expect(try instance.execute("MSET l 2 m 3") == "+OK|")
    #expect(try instance.execute("INCR absent") == ":1|")
    #expect(try instance.execute("INCR absent") == ":2|")
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
  }

  @Test func `a key that is stale on the old store is not moved`() throws {
    let instance = try instance()
    try instance.secondary.command("SET", "k", "101")
    instance.database.secondary.markStale(key: Array("k".utf8), because: .lost)
    #expect(try instance.execute("INCR k") == ":1|")
    try instance.secondary.command("SET", "l", "101")
    instance.database.secondary.family.distrust(because: .anotherProcess, now: 0)
    #expect(try instance.execute("INCR l") == ":1|")
    #expect(instance.count(MultiStoreMetrics.readFallback) == 0)
  }

  /// One that may lack a write of which no client was told is no older than the new store's miss.
  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `they are read and moved if only the outcome of a write is unknown`(kind: BatchKind) throws {
    let instance = try Instance(primaryAsDefault: true)
    try instance.secondary.command("MSET", "k", "1", "l", "2", "n", "101")
    try instance.secondary.command("HSET", "h", "f", "3")
    for key in ["k", "l", "n", "h"] {
      instance.database.secondary.markStale(key: Array(key.utf8), because: .defaultUnknown)
    }
    let lines = [("GET k", "$1|1|"), ("MGET k x l", "*3|$1|1|$-1|$1|2|"), ("HMGET h f g", "*2|$1|3|$-1|")]
    for (line, reply) in lines + [("INCR n", ":102|"), ("HINCRBY h f 1", ":4|"), ("GET x", "$-1|")] {
      let answer = try kind == .single ? instance.execute(line) : instance.execute("PING", line, as: kind)
      #expect(answer.hasSuffix(reply), "\(line)")
    }
    for client in [instance.primary, instance.secondary] { #expect(try client.command("GET", "n") == .text("102")) }
    instance.database.secondary.markStale(key: Array("l".utf8), because: .lost)
    #expect(try instance.execute("PING", "GET l", as: kind).hasSuffix("$-1|"), "its value is known to be outdated")
  }

  /// Another answer would be built on a key that is said to be absent.
  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `nothing is executed if the new store does not say what it has`(kind: BatchKind) throws {
    let instance = try instance()
    try instance.secondary.command("SET", "n", "101")
    try instance.primary.command("ACL", "SETUSER", "default", "-exists")
    let answer = try kind == .single ? instance.execute("INCR n") : instance.execute("INCR n", "INCR m", as: kind)
    #expect(answer.hasPrefix("-NOPERM "), "\(answer)")
    try instance.primary.command("ACL", "SETUSER", "default", "+exists")
    #expect(try instance.execute("INCR n") == ":102|")
  }

  /// Kills the connection over which `name` waits on the new store, which executes no writes until then.
  private func killWrite(_ name: String, on instance: Instance, during body: () -> Sink) throws -> String {
    try instance.primary.command("CLIENT", "PAUSE", "60000", "WRITE")
    let sink = body()
    try instance.run { (try? instance.primary.command("CLIENT", "LIST").string)?.contains("cmd=\(name) ") == true }
    try instance.primary.command("CLIENT", "KILL", "TYPE", "normal")
    try instance.run { sink.isDone }
    try instance.primary.command("CLIENT", "UNPAUSE")
    try instance.run { instance.database.store(.primary).isUp }
    return sink.text
  }

  @Test(arguments: [BatchKind.pipelined, .multi])
  func `nothing is executed if the new store fails while a key is moved`(kind: BatchKind) throws {
    let instance = try instance()
    try instance.secondary.command("SET", "n", "101")
    let answer = try killWrite("restore", on: instance) { instance.begin("INCR n", "INCR m", as: kind) }
    #expect(answer.hasPrefix("-ERR MultiStore: the secondary store has a key that could not be moved: send it again|"))
    #expect(try instance.execute("INCR n") == ":102|")
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("MGET", "n", "m") == .array([.text("102"), .null]))
    }
  }

  /// The guarded write may have been executed, and was not since the new store lacks the key.
  @Test func `a key whose write the new store did not answer stays`() throws {
    let instance = try instance()
    try instance.secondary.command("SET", "n", "101")
    _ = try instance.execute("INCR other")
    let answer = try killWrite("evalsha", on: instance) { instance.begin("INCR n") }
    #expect(answer.hasPrefix("-ERR MultiStore: "), "\(answer)")
    #expect(instance.count(MultiStoreMetrics.copyFailures, ["reason": "default_unknown"]) == 1)
    #expect(try instance.execute("GET n") == "$3|101|")
    try instance.run { instance.database.secondary.isWhole }
    #expect(try instance.secondary.command("GET", "n") == .text("101"))
    #expect(try instance.execute("INCR n") == ":102|")
    #expect(try instance.execute("DEL n") == ":1|")
    #expect(try instance.secondary.command("GET", "n") == .null)
  }

  /// Where servers answer with an error instead of a miss, or with another kind of nil.
  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `they are read by commands that say in other ways what is missing`(kind: BatchKind) throws {
    let instance = try instance()
    for line in ["XADD s 1-1 f v", "XGROUP CREATE s g 0", "GEOADD p 1 1 a"] {
      try instance.secondary.command(words(line))
    }
    for (line, part) in [
      ("XINFO GROUPS s", "$4|name|$1|g|"), ("XINFO STREAM s", "$6|length|:1|"), ("XPENDING s g", "*4|:0|$-1|$-1|*-1|"),
      ("GEOPOS p a nope", "|*-1|"), ("GEOPOS x y", "*1|*-1|"), ("XINFO GROUPS x", "-ERR no such key|"),
      ("XPENDING x g", "-NOGROUP "),
    ] {
      let answer = try kind == .single ? instance.execute(line) : instance.execute("PING", line, as: kind)
      #expect(answer.contains(part), "\(line): \(answer)")
    }
    #expect(instance.count(MultiStoreMetrics.readFallback) == 4)
  }

  /// Servers that are full refuse all commands between MULTI and EXEC.
  @Test func `a transaction reads them from an old store that is full`() throws {
    let instance = try instance()
    try instance.secondary.command("MSET", "k", "1", "l", "2")
    try instance.secondary.command("CONFIG", "SET", "maxmemory", "1")
    #expect(try instance.execute("GET k", "MGET x l", "EXISTS k", as: .multi) == "*3|$1|1|*2|$-1|$1|2|:1|")
    #expect(instance.count(MultiStoreMetrics.copyFailures) == 0)
    #expect(try instance.execute("GET k", "SET m 1", "GET x", as: .multi) == "*3|$1|1|+OK|$-1|")
    #expect(instance.database.secondary.stale.contains("m") && instance.database.secondary.stale.count == 1)
  }

  @Test func `without the old store, what the new one lacks is absent`() throws {
    let instance = try instance()
    try instance.takeDown(.secondary)
    #expect(try instance.execute("INCR k") == ":1|")
    #expect(try instance.execute("INCR k") == ":2|")
  }

  @Test(arguments: [BatchKind.single, .pipelined, .multi])
  func `without the old store, a pop that finds nothing changes nothing`(kind: BatchKind) throws {
    let instance = try instance()
    try instance.takeDown(.secondary)
    let pops = ["LPOP k", "RPOP k 2", "LMOVE k l LEFT LEFT", "RPOPLPUSH k l", "ZPOPMIN k", "ZPOPMAX k 2"]
    for line in pops {
      _ = try kind == .single ? instance.execute(line) : instance.execute("GET other", line, as: kind)
    }
    #expect(instance.database.secondary.stale.count == 0)
    #expect(try instance.execute("RPUSH k a") == ":1|")
    #expect(try instance.execute("LPOP k") == "$1|a|")
    #expect(instance.database.secondary.stale.count == 1, "one that finds something does")
  }

  @Test func `under the other read policy nothing is moved`() throws {
    let instance = try instance(.defaultStore)
    try instance.secondary.command("SET", "k", "101")
    #expect(try instance.execute("INCR k") == ":1|")
  }

  @Test func `many commands at once move a key once, and lose nothing`() throws {
    let instance = try instance()
    try instance.secondary.command("MSET", "n", "1000", "m", "1000")
    var sinks: [Sink] = []
    for number in 0..<100 {
      sinks.append(instance.begin("INCR n"))
      if number.isMultiple(of: 10) { sinks.append(instance.begin("INCR m", "INCR n")) }
    }
    try instance.run { sinks.allSatisfy(\.isDone) }
    for client in [instance.primary, instance.secondary] {
      #expect(try client.command("MGET", "n", "m") == .array([.text("1110"), .text("1010")]))
    }
    #expect(instance.count(MultiStoreMetrics.readFallback) == 2)
  }

  @Test func `a key that is deleted at the same moment does not come back`() throws {
    let instance = try instance()
    for _ in 0..<50 {
      try instance.secondary.command("SET", "k", "100")
      let first = instance.begin("INCR k")
      let deletion = instance.begin("DEL k")
      let second = instance.begin("INCR k")
      try instance.run { first.isDone && deletion.isDone && second.isDone }
      let values = try [instance.primary, instance.secondary].map { try $0.command("GET", "k") }
      #expect(values[0] == values[1])
      #expect([":1|", ":2|", ":101|"].contains(first.text), "\(first.text)")
      #expect([":1|", ":2|", ":102|"].contains(second.text), "\(second.text)")
      try instance.both("DEL k")
    }
  }
}
